"""An approval: what a person is asked to allow, exactly as it is shown, and until when."""

from datetime import datetime
from enum import StrEnum

from .action import Action
from .model import Stored
from .target import TargetState


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
    approved: bool | None = None  # None: nobody has answered
    by: str = ""
    via: Via | None = None
    comment: str = ""
    answered_at: datetime | None = None


class Comment(Stored):
    """What a person said in the room of an incident."""

    by: str
    text: str
    at: datetime
