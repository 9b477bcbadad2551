"""Lessons into the runbook, through the outbox (port `Channel`): a full disk delays them and loses none."""

from aegis_core.domain.notice import Digest, Notice
from aegis_core.errors import DeliveryDeferred, RunbookError
from aegis_core.ports import Runbook


class LessonChannel:
    """Writes the lesson of a notice into a runbook. What carries none is passed over, digests too."""

    name = "runbook"

    def __init__(self, runbook: Runbook) -> None:
        self._runbook = runbook

    def deliver(self, notice: Notice | Digest) -> None:
        """See `ports.Channel.deliver`."""
        if isinstance(notice, Digest) or notice.lesson is None:
            return
        try:
            self._runbook.add(notice.lesson)
        except RunbookError as error:
            raise DeliveryDeferred(str(error)) from error
