"""An approval: what a person is asked to allow, exactly as it is shown, and until when; and what people answer."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from aegis_core.errors import AlreadyAnswered, ApprovalExpired, ApprovalReplaced, NotWaiting

from .action import Action
from .events import Agent, Draft, EventType
from .intent import Goal
from .model import Stored, Value
from .target import TargetState

if TYPE_CHECKING:  # an incident holds approvals
    from .incident import Incident


class Via(StrEnum):
    """The way on which a person answered."""

    API = "api"
    CLI = "cli"
    DASHBOARD = "dashboard"
    SLACK = "slack"


class Approval(Stored):
    """A question to people and, once there is one, its answer. Nothing but what is shown here is approved by it."""

    action: Action
    shown: TargetState | None  # the target as it was when people were asked
    reasons: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    goal: Goal = Goal()  # what it would lead to
    version: int = 0  # of the event that asks; put in when it is folded
    approved: bool | None = None  # None: nobody has answered
    by: str = ""
    via: Via | None = None
    comment: str = ""
    answered_at: datetime | None = None


class Reply(Value):
    """What a person says to a question. `seen` is the version of the incident in which they saw it; None: not known."""

    incident_id: str
    approved: bool
    by: str
    via: Via
    comment: str = ""
    seen: int | None = None


class Comment(Stored):
    """What a person said in the room of an incident."""

    by: str
    text: str
    at: datetime


def answer(  # noqa: PLR0917 - an answer has that many parts
    incident: "Incident", approved: bool, by: str, via: Via, comment: str, now: datetime
) -> Sequence[Draft]:
    """Answer the question that an incident waits with.

    Raises NotWaiting, AlreadyAnswered (the first answer counts), ApprovalExpired.
    """
    asked = incident.approval
    if asked is None:
        raise NotWaiting(f"Nobody is asked anything about {incident.id}: it is {incident.status}.")
    if asked.approved is not None:
        said = "approved" if asked.approved else "declined"
        raise AlreadyAnswered(f"{asked.by} has {said} it already, at {_moment(asked.answered_at)} ({asked.via}).")
    if now >= asked.expires_at:
        raise ApprovalExpired(
            f"The question expired at {_moment(asked.expires_at)}; nothing is done without an answer."
        )
    if incident.closed:
        raise NotWaiting(f"{incident.id} has ended already: it is {incident.status}.")
    kind = EventType.APPROVED if approved else EventType.DECLINED
    return (Draft(type=kind, agent=Agent.COMMUNICATION, data={"by": by, "via": via, "comment": comment}),)


def same_question(incident: "Incident", seen: int | None) -> None:
    """Check that the question is the one that was seen. Raises ApprovalReplaced where a newer one was asked since."""
    if seen is not None and incident.approval is not None and seen < incident.approval.version:
        raise ApprovalReplaced("A newer question was asked since; look at it, and answer that one.")


def remark(by: str, text: str, now: datetime) -> Draft:
    """Say something in the room of an incident."""
    comment = Comment(by=by, text=text, at=now)
    return Draft(type=EventType.COMMENTED, agent=Agent.COMMUNICATION, data={"comment": comment.model_dump(mode="json")})


def _moment(at: datetime | None) -> str:
    return f"{at:%H:%M:%S} UTC" if at else "some time"
