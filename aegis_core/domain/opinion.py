"""Opinions: what each agent would do, how sure it is, and why; and what they come to together (DESIGN §6).

Every constant of the deliberation stands here.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, field_validator

from .action import Action
from .events import Agent
from .model import Stored


class Terms(NamedTuple):
    """How much an agent's vote weighs, how many seconds it should take, and after how many it counts as abstaining."""

    weight: float
    target_seconds: float
    limit_seconds: float


TERMS: Final[Mapping[Agent, Terms]] = {
    Agent.DETECTION: Terms(0.2, 30.0, 60.0),
    Agent.DIAGNOSIS: Terms(0.4, 120.0, 180.0),
    Agent.PREDICTION: Terms(0.3, 90.0, 150.0),
    Agent.RESOLUTION: Terms(0.1, 180.0, 300.0),
    Agent.COMMUNICATION: Terms(0.0, 10.0, 30.0),  # it tells people, and has no vote
}
VOTERS: Final = tuple(agent for agent, terms in TERMS.items() if terms.weight)
QUORUM: Final = 3  # trusted votes
LEAST_BACKERS: Final = 2  # one agent alone never acts, however low the threshold is set
SURE: Final = 0.7  # from here on policy decides; below, a person is asked

FAILURES: Final = 5  # consecutive ones open an agent's, or a model's, circuit breaker
COOLDOWN_SECONDS: Final = 30.0
SUCCESSES: Final = 2  # close it again after the cool-down


class Data(StrEnum):
    """What an agent may have to do without."""

    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"
    FRESHNESS = "freshness"


PENALTIES: Final[Mapping[Data, float]] = {
    Data.LOGS: 0.2,
    Data.METRICS: 0.15,
    Data.TRACES: 0.1,
    Data.FRESHNESS: 0.05,
}
STALE_AFTER: Final = timedelta(seconds=60)  # between the gathering of the evidence and the vote
NEEDS: Final[Mapping[Agent, frozenset[Data]]] = {  # what each of them judges by
    Agent.DETECTION: frozenset({Data.METRICS, Data.FRESHNESS}),
    Agent.DIAGNOSIS: frozenset(Data),
    Agent.PREDICTION: frozenset({Data.METRICS, Data.FRESHNESS}),
    Agent.RESOLUTION: frozenset({Data.FRESHNESS}),
}

_MILDEST_FIRST: Final = (Action.NOOP, Action.RESTART, Action.SCALE_UP, Action.ROLLBACK)
_DIGITS: Final = 6  # of a confidence: finer differences are of arithmetic, not of opinion
_NO_NUMBER: Final = -1.0


class Opinion(Stored):
    """One agent's vote. It is stored as it was given: whether it counts is for the consensus to say.

    `target` names what it is about; empty: the incident's own. A confidence that is no number is kept as -1, because
    JSON has no word for it.
    """

    agent: Agent
    action: Annotated[Action | str, Field(union_mode="left_to_right")]
    confidence: float
    reason: str
    target: str = ""

    @field_validator("confidence", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        return _NO_NUMBER if isinstance(value, float) and not math.isfinite(value) else value

    @property
    def words(self) -> str:
        """The vote in one sentence."""
        return f"{self.agent}: {self.action} ({self.confidence:.2f}). {self.reason}"


class Consensus(Stored):
    """What the votes come to. `confidence` is that of the action, 0 where nobody voted."""

    action: Action
    confidence: float
    votes: int  # trusted ones
    backers: tuple[Agent, ...] = ()
    dissent: tuple[str, ...] = ()  # who would do something else, in words
    set_aside: Mapping[Agent, str] = {}  # whose opinion does not count, and why: distrusted for this incident
    abstained: Mapping[Agent, str] = {}

    @property
    def quorate(self) -> bool:
        return self.votes >= QUORUM


def lowered(opinion: Opinion, missing: Collection[Data]) -> Opinion:
    """Lower an opinion by the data that its agent had to do without. What is out of range stays so."""
    lacks = sorted(NEEDS.get(opinion.agent, frozenset()) & set(missing))
    if not lacks or _flaw(opinion, ""):
        return opinion
    penalty = math.fsum(PENALTIES[data] for data in lacks)
    confidence = round(max(0.0, opinion.confidence - penalty), _DIGITS)
    why = f"{opinion.reason} ({penalty:.2f} less sure, without {' and '.join(lacks)})"
    return opinion.model_copy(update={"confidence": confidence, "reason": why})


def consensus(
    opinions: Iterable[Opinion],
    target: str,
    abstained: Mapping[Agent, str] | None = None,
    distrusted: Collection[Agent] = (),
) -> Consensus:
    """Count the votes about a target: of each action, the sum of weight × confidence over the weight of all who voted.

    The order of the opinions does not matter. Of actions that are level the milder one wins.
    """
    given = tuple(opinions)
    aside = _set_aside(given, target, distrusted)
    trusted = sorted((one for one in given if one.agent not in aside), key=lambda one: VOTERS.index(one.agent))
    shares = _shares(trusted)
    action = max(shares, key=lambda one: (shares[one], -_MILDEST_FIRST.index(one)), default=Action.NOOP)
    return Consensus(
        action=action,
        confidence=shares.get(action, 0.0),
        votes=len(trusted),
        backers=tuple(one.agent for one in trusted if one.action is action),
        dissent=tuple(one.words for one in trusted if one.action is not action),
        set_aside=aside,
        abstained=abstained or {},
    )


def _shares(trusted: Sequence[Opinion]) -> Mapping[Action, float]:
    total = math.fsum(TERMS[one.agent].weight for one in trusted)
    return {
        action: round(
            math.fsum(TERMS[one.agent].weight * one.confidence for one in trusted if one.action is action) / total,
            _DIGITS,
        )
        for action in {Action(one.action) for one in trusted}
    }


def _set_aside(given: Sequence[Opinion], target: str, distrusted: Collection[Agent]) -> Mapping[Agent, str]:
    """Name the agents whose opinions do not count. One bad opinion is enough: its agent has no vote any more."""
    flaws: dict[Agent, set[str]] = {agent: {"it was set aside earlier in this incident"} for agent in distrusted}
    times = Counter(one.agent for one in given)
    for one in given:
        flaw = _flaw(one, target) or ("it speaks more than once" if times[one.agent] > 1 else "")
        if flaw:
            flaws.setdefault(one.agent, set()).add(flaw)
    return {agent: "; ".join(sorted(flaws[agent])) for agent in Agent if agent in flaws}


def _flaw(one: Opinion, target: str) -> str:
    if not TERMS[one.agent].weight:
        return "it has no vote"
    if not isinstance(one.action, Action):
        return f"there is no action {one.action[:40]!r}"
    if not 0.0 <= one.confidence <= 1.0:
        return f"a confidence of {one.confidence:g} is not between 0 and 1"
    return f"it speaks of {one.target[:100]!r}" if target and one.target not in ("", target) else ""
