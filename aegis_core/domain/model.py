"""The base of every value: frozen, closed to unknown fields, comparable."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value that serialises to JSON and back without loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(Value):
    """A value that is kept in the event log: what a later version no longer knows is passed over when read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
