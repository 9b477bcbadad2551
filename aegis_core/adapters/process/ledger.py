"""The record of one target as it stands: what is to be done is in the journal first, and every change is told."""

import logging
from collections.abc import Callable

from aegis_core.domain.change import Change
from aegis_core.domain.target import TargetRef
from aegis_core.errors import RuntimeUnavailable

from .changes import changes_between
from .journal import Journal, Record

_log = logging.getLogger(__name__)


class Ledger:
    """Holds the newest record. Whoever writes keeps others from writing meanwhile."""

    def __init__(self, target: TargetRef, record: Record, journal: Journal, tell: Callable[[Change], None]) -> None:
        self.record = record
        self._target = target
        self._journal = journal
        self._tell = tell
        self._saved: Record | None = None
        self._retired = False

    def intend(self, record: Record) -> None:
        """Put into the journal what is about to be done. Raises RuntimeUnavailable, and then nothing may be done."""
        try:
            self._journal.save(self._target.name, record)
        except OSError as error:
            raise RuntimeUnavailable(f"The journal of {self._target.name} cannot be written: {error}.") from error
        self._follow(record)
        self._saved = record

    def note(self, record: Record) -> None:
        """Put into the journal what has happened: a fact whether or not it can be written."""
        self._follow(record)
        if self._retired:
            return
        try:
            self._journal.save(self._target.name, record)
            self._saved = record
        except OSError as error:
            _log.warning("the journal of %s cannot be written: %s", self._target.name, error)

    def catch_up(self) -> None:
        """Write down what could not be written when it happened."""
        if self._saved is not self.record:
            self.note(self.record)

    def retire(self) -> None:
        """Write nothing more down: the name may mean another target from now on."""
        self._retired = True

    def _follow(self, record: Record) -> None:
        before, self.record = self.record, record
        for change in changes_between(self._target, before, record):
            self._tell(change)
