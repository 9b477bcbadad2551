"""Weighing: how far the facts lead to each category, first causes before what follows from them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aegis_core.domain.diagnosis import Category

from .facts import Facts
from .finds import Find, find, told_by
from .rule import Clue, Rule, Step

# Set by judgement: what comes out of them is made a confidence by what was right on real cases (confidence.toml).
SHALLOW: Final = 0.7  # of a wording that wraps a cause which stands further right on the same line
LATER: Final = 0.92  # of an error that came after the first one that counts
SUPPORT: Final = (1.0, 0.5, 0.3, 0.2)  # of the strongest clue, the second, …: clues of one category hang together
TELLING: Final = 0.5  # a clue of this weight says what happened, one below it only hints
CONSEQUENCE: Final = 0.75  # of its weight that a consequence loses to a cause that is certain
LEAST: Final = 0.05  # a weight below it is none
MOST_CITED: Final = 4
SEEN_CHARACTERS: Final = 200


class Shown(NamedTuple):
    """A clue that holds, and the lines that say so."""

    rule: Rule
    clue: Clue
    finds: Sequence[Find]


class Weight(NamedTuple):
    """How far the facts lead to a category (0 to 1), and what said so: the line to quote and those to cite."""

    rule: Rule
    value: float
    seen: str
    cites: tuple[str, ...]


def weigh(rules: Sequence[Rule], facts: Facts) -> list[Weight]:
    """Weigh every category that anything speaks for, the heaviest first."""
    shown = [
        Shown(rule, clue, finds) for rule in rules for clue in rule.for_ if (finds := find(clue, facts)) is not None
    ]
    causes = _causes(shown)
    first = min(causes, default=0)
    weights = []
    for rule in rules:
        own = [one for one in shown if one.rule is rule]
        valued = sorted(((_value(one, causes, first), one) for one in own), key=lambda pair: -pair[0])
        if valued:
            weights.append(_weight(rule, valued, facts))
    return _explained([weight for weight in weights if weight.value >= LEAST])


def step_of(rule: Rule, facts: Facts) -> Step:
    """Choose what follows from a category: the first exception that holds, else the usual."""
    return next((step for step in rule.exceptions if find(step, facts) is not None), rule.usual)


class Cause(NamedTuple):
    """A telling clue on a line: where it ends there, its weight, and the category it leads to."""

    end: int
    weight: float
    category: Category


_Causes = Mapping[int, Sequence[Cause]]


def _causes(shown: Sequence[Shown]) -> _Causes:
    """Of every line of the log: the telling clues that stand on it."""
    causes: dict[int, list[Cause]] = {}
    for one in shown:
        for found in one.finds:
            if found.at is not None and one.clue.weight >= TELLING:
                causes.setdefault(found.at, []).append(Cause(found.end, one.clue.weight, one.rule.category))
    return causes


def _value(one: Shown, causes: _Causes, first: int) -> float:
    """What a clue is worth: its weight, times how much the best of its lines counts."""
    return one.clue.weight * max((_counts(found, one, causes, first) for found in one.finds), default=1.0)


def _counts(found: Find, one: Shown, causes: _Causes, first: int) -> float:
    if found.at is None:
        return found.line.counts
    wraps = any(
        cause.end > found.end and cause.weight >= one.clue.weight and cause.category is not one.rule.category
        for cause in causes.get(found.at, ())
    )
    return found.line.counts * (SHALLOW if wraps else 1.0) * (LATER if found.at > first else 1.0)


def _weight(rule: Rule, valued: Sequence[tuple[float, Shown]], facts: Facts) -> Weight:
    doubt = 1.0
    for (value, _), share in zip(valued, SUPPORT, strict=False):
        doubt *= 1.0 - value * share
    value = 1.0 - doubt
    for clue in rule.against:
        if find(clue, facts) is not None:
            value *= 1.0 - clue.weight
    finds = [found for _, one in valued for found in sorted(one.finds, key=lambda found: -found.line.counts)[:2]]
    told = [cite for _, one in valued for cite in told_by(one.clue, facts)]
    cites = dict.fromkeys([*(found.line.cite for found in finds if found.line.cite), *told])
    seen = _excerpt(finds[0]) if finds else next(iter(told), facts.cite["signal"])
    return Weight(rule, value, seen, tuple(cites)[:MOST_CITED])


def _excerpt(found: Find) -> str:
    """The line, or of a long one the part where the wording ends."""
    text = found.line.text.strip()
    if len(text) <= SEEN_CHARACTERS:
        return text
    end = found.end * len(text) // max(1, len(found.line.plain))  # about: the plain text is a little shorter
    begin = max(0, min(end - SEEN_CHARACTERS * 3 // 4, len(text) - SEEN_CHARACTERS))
    return ("…" if begin else "") + text[begin : begin + SEEN_CHARACTERS].strip()


def _explained(weights: Sequence[Weight]) -> list[Weight]:
    """Let what may be a consequence give way to its causes, as far as these are seen themselves."""
    values = {weight.rule.category: weight.value for weight in weights}

    def left(rule: Rule) -> float:
        causes = [values[category] for category in rule.follows if category in values]
        return 1.0 - CONSEQUENCE * max(causes, default=0.0)

    explained = [weight._replace(value=weight.value * left(weight.rule)) for weight in weights]
    return sorted(explained, key=lambda weight: -weight.value)
