"""A question in Slack: its buttons, what a click on one of them says, and what the message says once it is answered."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    InputBlock,
    MarkdownTextObject,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
)

from aegis_core.domain.approval import Reply, Via
from aegis_core.domain.notice import Notice

from . import wording
from .slack_text import FIELD_LIMIT, cut, escaped, markdown, quiet

APPROVE, REFUSE = "aegis_approve", "aegis_refuse"
COMMENT: Final = "aegis_comment"
COMMENT_LIMIT: Final = 1_000
_ANSWERABLE: Final = frozenset({"actions", "input"})  # the blocks that have to go once there is an answer
_CONFIRM_LIMIT: Final = 300


class Question(BaseModel):
    """What a button stands for: the question of an incident as it was when the message was written."""

    incident: str = Field(max_length=256)
    version: int = Field(ge=0, lt=2**31)


class _Action(BaseModel):
    action_id: str = ""
    value: str = ""


class _User(BaseModel):
    id: str = ""
    name: str = ""
    username: str = ""


class _Message(BaseModel):
    text: str = ""
    blocks: list[dict[str, Any]] = []


class _Said(BaseModel):
    value: str | None = None


class _State(BaseModel):
    values: dict[str, dict[str, Any]] = {}


class Click(BaseModel):
    """What Slack sends when somebody clicks (`block_actions`), as far as it matters."""

    user: _User = _User()
    actions: list[_Action] = []
    response_url: str = ""
    message: _Message = _Message()
    state: _State = _State()

    def reply(self) -> Reply | None:
        """What was answered to which question; None for a click that is none of ours."""
        action = next((one for one in self.actions if one.action_id in {APPROVE, REFUSE}), None)
        if action is None:
            return None
        try:
            asked = Question.model_validate_json(action.value)
        except ValidationError:
            return None
        return Reply(
            incident_id=asked.incident,
            approved=action.action_id == APPROVE,
            by=self._who(),
            via=Via.SLACK,
            comment=self._comment(),
            seen=asked.version,
        )

    def _who(self) -> str:
        """The name as people know it, with the id, which nobody can take from another."""
        name = self.user.username or self.user.name
        return f"{name} ({self.user.id})" if name and self.user.id else name or self.user.id

    def _comment(self) -> str:
        said = self.state.values.get(COMMENT, {}).get(COMMENT)
        try:
            return (_Said.model_validate(said).value or "")[:COMMENT_LIMIT] if said else ""
        except ValidationError:
            return ""

    def answered(self, line: str) -> Sequence[Mapping[str, Any]]:
        """The message as it was, with a line about its answer in the place of the buttons."""
        kept = [block for block in self.message.blocks if block.get("type") not in _ANSWERABLE]
        told = ContextBlock(elements=[markdown(line, FIELD_LIMIT)]).to_dict()
        return [*kept[:-1], told, *kept[-1:]]


def answer_blocks(notice: Notice, buttons: bool) -> Iterable[Block]:
    """How a question can be answered: by buttons, or by hand."""
    by_when = f"Without an answer{_until(notice.until)} nothing is done, and it is left to people."
    if not buttons:
        text = escaped(f"Answer with {wording.commands(notice)}, or on the dashboard.", FIELD_LIMIT)
        yield SectionBlock(text=MarkdownTextObject(text=f"*Your answer*\n{text}", verbatim=True))
        yield _small(by_when)
        return
    question = Question(incident=notice.incident_id, version=notice.version).model_dump_json()
    yield InputBlock(
        block_id=COMMENT,
        label="Why (optional)",
        optional=True,
        element=PlainTextInputElement(action_id=COMMENT, max_length=COMMENT_LIMIT),
    )
    yield ActionsBlock(
        elements=[
            ButtonElement(text="Approve", action_id=APPROVE, value=question, style="primary", confirm=_sure(notice)),
            ButtonElement(text="Refuse", action_id=REFUSE, value=question, style="danger"),
        ]
    )
    yield _small(by_when)


def _sure(notice: Notice) -> ConfirmObject:
    what = cut(quiet(f"{notice.action} of {notice.target}"), _CONFIRM_LIMIT)
    return ConfirmObject(
        title="Approve?", text=PlainTextObject(text=f"{what} is carried out at once.", emoji=False), confirm="Approve"
    )


def _small(text: str) -> Block:
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def _until(at: datetime | None) -> str:
    """The end of the waiting in the reader's own zone."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    return f" before <!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"
