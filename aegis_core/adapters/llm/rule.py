"""Rules as data: one file a category, all alike, read once and checked."""

import tomllib
from importlib.resources import files
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.model import Value
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health

from .levels import Level
from .phrase import Phrases

FOLDER: Final = "rulebook"
Sentence = Annotated[str, Field(min_length=15, max_length=400)]


class When(Value):
    """What has to be seen. All that is named must hold; of several phrases, one on one line is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    log: Phrases = ()
    also: Phrases = ()  # in the log too, be it on another line
    since: Phrases = ()  # in the newest lines, after the last that tells of trouble
    health_log: Phrases = ()
    happened: Phrases = ()  # in what the runtime did, to it or to its neighbours
    faults: frozenset[Fault] = frozenset()
    exit_codes: frozenset[int] = frozenset()
    down: bool | None = None
    oom_killed: bool | None = None
    person: bool | None = None  # a person stopped or paused it
    health: frozenset[Health] = frozenset()
    memory: frozenset[Level] = frozenset()
    cpu: frozenset[Level] = frozenset()
    latency: frozenset[Level] = frozenset()
    new_image: bool | None = None  # its image has changed lately
    known: bool | None = None  # the runtime knows the target, so that its state counts
    grew: bool | None = None  # its memory has grown, and has not come back
    quiet: bool | None = None  # the log speaks, and of no error
    calm: bool | None = None  # not even a warning of a failure, and most lines are called information
    errors: bool | None = None  # the program itself calls some of its lines errors


class Clue(When):
    """Something that speaks for or against a category. `weight` is how far it alone leads there, 0 to 1."""

    weight: float = Field(gt=0, lt=1)
    why: Sentence


class Step(When):
    """An action that follows. At most `at_most` sure: what a person has to confirm stays below the threshold."""

    do: Action
    at_most: float = Field(default=0.95, gt=0, le=0.95)
    why: Sentence


class Rule(Value):
    """A category as a file: what it means, what speaks for and against it, and what follows.

    `follows` names the categories whose consequence this one may be: where they show, they come first.
    The first of `exceptions` that holds takes the place of `usual`.
    """

    category: Category
    means: Sentence
    shown_by: Sentence
    root_cause: Sentence  # may hold `{seen}`: the line that counted
    follows: frozenset[Category] = frozenset()
    for_: tuple[Clue, ...] = Field(alias="for", min_length=1)
    against: tuple[Clue, ...] = ()
    usual: Step
    exceptions: tuple[Step, ...] = ()


def read_rules() -> tuple[Rule, ...]:
    """Read the rules of all categories, in their order. Raises ValueError (of pydantic or TOML) for a broken file."""
    folder = files(__package__).joinpath(FOLDER)
    return tuple(
        Rule.model_validate(tomllib.loads(folder.joinpath(f"{category}.toml").read_text(encoding="utf-8")))
        for category in Category
    )
