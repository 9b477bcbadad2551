"""Notices as lines of the log (port `Channel`): what there is without any set-up."""

import structlog

from aegis_core.domain.notice import Notice, NoticeKind

from . import wording

_log = structlog.get_logger(__name__)


class LogChannel:
    """Writes one readable line per notice: a warning where a person is needed, else information."""

    name = "log"

    def deliver(self, notice: Notice) -> None:
        """See `ports.Channel.deliver`. Lessons are not for people and are passed over."""
        if notice.kind is NoticeKind.LESSON:
            return
        notice = wording.masked(notice)
        write = _log.warning if notice.kind is NoticeKind.FAILED else _log.info
        write(wording.sentence(notice), incident_id=notice.incident_id)
