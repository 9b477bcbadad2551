"""The parts that answers of the core are made of: models that are blind to what they do not know, and their fields."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def items_of(value: object) -> object:
    return value or ()


Moment = Annotated[datetime, AfterValidator(_aware)]
Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(items_of)]


class Wire(BaseModel):
    """A part of an answer: frozen, and blind to fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
