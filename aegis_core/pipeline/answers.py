"""Answers: what people say to a question, and in the room of an incident, enters the log."""

from collections.abc import Callable, Sequence
from typing import Final

from aegis_core.domain.approval import Approval, Reply, answer, remark, same_question
from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.logs import clean_line, clean_lines
from aegis_core.domain.masking import mask, mask_lines
from aegis_core.errors import AnswerRefused, ApprovalReplaced, RuntimeProblem
from aegis_core.ports import EventLog

from .tools import Tools, rested

MOST_COMMENTS: Final = 200  # of one incident: each is carried along with it
TEXT_LIMIT: Final = 2_000  # characters
NAME_LIMIT: Final = 128
NOBODY: Final = "somebody"  # who gives no name that can be shown


class Answers:
    """Takes answers and comments from many threads.

    `changed` is told of every incident, before and after; `wake` is called when one may go on.
    """

    def __init__(
        self,
        tools: Tools,
        events: EventLog,
        changed: Callable[[Incident, Incident], None],
        wake: Callable[[], None],
    ) -> None:
        self._tools, self._events, self._changed, self._wake = tools, events, changed, wake

    def reply(self, reply: Reply) -> Incident:
        """Answer a question; what was approved happens soon after. Everything is on disk when this returns.

        A target that is no longer the one that was shown is looked at anew, whatever the answer was about the old one.
        Raises IncidentUnknown, AnswerRefused (why it does not count), StoreUnavailable.
        """
        incident = self._tools.incidents.get(reply.incident_id)
        gone = self._no_longer(incident) if reply.approved else ""
        by, comment = self._person(reply.by, incident), self._said(reply.comment, incident)

        def said(current: Incident) -> Sequence[Draft]:
            now = self._tools.clock()
            same_question(current, reply.seen)
            drafts = answer(current, reply.approved, by, reply.via, comment, now)
            return (rested(now, gone),) if gone and _asks_the_same(current, incident) else drafts

        after = self._write(reply.incident_id, said)
        if after.approval is None:
            raise ApprovalReplaced(f"{gone} Nothing was done; Aegis looks at it anew, and asks again if need be.")
        return after

    def comment(self, incident_id: str, by: str, text: str) -> Incident:
        """Say something about an incident, open or closed. Raises IncidentUnknown, AnswerRefused, StoreUnavailable."""
        incident = self._tools.incidents.get(incident_id)
        by, text = self._person(by, incident), self._said(text, incident)

        def said(current: Incident) -> Sequence[Draft]:
            if len(current.comments) >= MOST_COMMENTS:
                raise AnswerRefused(f"There are {MOST_COMMENTS} comments on {incident_id}; no more are kept.")
            return (remark(by, text, self._tools.clock()),)

        return self._write(incident_id, said)

    def _write(self, incident_id: str, said: Callable[[Incident], Sequence[Draft]]) -> Incident:
        seen: list[Incident] = []

        def noted(current: Incident) -> Sequence[Draft]:
            seen.append(current)
            return said(current)

        after = self._events.answer(incident_id, noted, self._tools.clock())
        self._changed(seen[-1], after)
        self._wake()
        return after

    def _no_longer(self, incident: Incident) -> str:
        """Say why the target is not the one that people were shown; asked once more at the moment of acting."""
        shown = incident.approval.shown if incident.approval else None
        if shown is None:
            return ""
        try:
            now = self._tools.effector.find(incident.target)
        except RuntimeProblem:
            return ""
        if now is None:
            return f"{incident.target} no longer exists."
        return "" if now.ref == shown.ref else f"{incident.target} was recreated since the question was asked."

    def _said(self, text: str, incident: Incident) -> str:
        secrets = self._tools.sightings.secrets_of(incident.target)
        return "\n".join(mask_lines(clean_lines(text[:TEXT_LIMIT]), secrets))

    def _person(self, name: str, incident: Incident) -> str:
        return mask(clean_line(name[:NAME_LIMIT]).strip(), self._tools.sightings.secrets_of(incident.target)) or NOBODY


def _asks_the_same(current: Incident, looked_at: Incident) -> bool:
    """Tell whether it is the question whose target was looked at: another one may have been asked in between."""
    return _version(current.approval) == _version(looked_at.approval)


def _version(approval: Approval | None) -> int:
    return approval.version if approval else 0
