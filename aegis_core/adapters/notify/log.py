"""Notices as lines of the log (port `Channel`): what there is without any set-up."""

from typing import Final

import structlog

from aegis_core.domain.notice import Digest, Notice, NoticeKind

from . import digest_wording, wording

_FOR_PEOPLE: Final = frozenset({NoticeKind.FAILED, NoticeKind.APPROVAL})

_log = structlog.get_logger(__name__)


class LogChannel:
    """Writes one readable line per notice or digest: a warning where a person is needed, else information."""

    name = "log"

    def deliver(self, notice: Notice | Digest) -> None:
        """See `ports.Channel.deliver`. Lessons are not for people and are passed over."""
        if isinstance(notice, Digest):
            write = _log.warning if notice.failed.incidents or notice.asked.incidents else _log.info
            write(digest_wording.sentence(digest_wording.masked(notice)))
        elif notice.kind is not NoticeKind.LESSON:
            notice = wording.masked(notice)
            write = _log.warning if notice.kind in _FOR_PEOPLE else _log.info
            write(wording.sentence(notice), incident_id=notice.incident_id)
