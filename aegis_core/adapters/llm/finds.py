"""Finding: does what a rule names hold, and on which lines."""

from collections.abc import Sequence
from typing import NamedTuple

from .facts import Facts
from .loglines import LogLine
from .phrase import Phrase
from .rule import When


class Find(NamedTuple):
    """A line on which a wording stands, and where it ends there. `at` is its place in the log, None outside it."""

    line: LogLine
    end: int
    at: int | None = None


def find(when: When, facts: Facts) -> Sequence[Find] | None:
    """Find the lines that say what is named; None where not all of it holds, nothing where no line is named."""
    if not _state_holds(when, facts):
        return None
    finds: list[Find] = []
    for phrases, lines, in_log in (
        (when.health_log, facts.health_log, False),
        (when.happened, facts.happened, False),
        (when.since, facts.since, False),
        (when.also, facts.log, True),
        (when.log, facts.log, True),
    ):
        if not phrases:
            continue
        possible = [one for one in phrases if one.may_fit(facts.text, facts.words)]
        found = [
            Find(line, end, at if in_log else None)
            for at, line in enumerate(lines)
            if line.counts and (end := _end(possible, line))
        ]
        if not found:
            return None
        finds += found
    return finds


def told_by(when: When, facts: Facts) -> Sequence[str]:
    """The evidence lines that tell the state which is named."""
    named = {
        facts.memory.cite: when.memory or when.grew,
        facts.cpu.cite: when.cpu,
        facts.latency.cite: when.latency,
        facts.cite["person"]: when.person,
        facts.cite["image"]: when.new_image,
        facts.cite["state"]: when.exit_codes or when.health or when.oom_killed or when.down is not None,
    }
    return [cite for cite, counts in named.items() if cite and counts]


def _end(phrases: Sequence[Phrase], line: LogLine) -> int:
    """Where the last of the wordings ends on a line; 0 where none stands there."""
    return max((one.end_in(line.plain, line.words) for one in phrases), default=0)


def _state_holds(when: When, facts: Facts) -> bool:
    one_of = (
        (when.faults, facts.fault),
        (when.exit_codes, facts.exit_code),
        (when.health, facts.health),
        (when.memory, facts.memory.level),
        (when.cpu, facts.cpu.level),
        (when.latency, facts.latency.level),
    )
    exactly = (
        (when.down, facts.down),
        (when.oom_killed, facts.oom_killed),
        (when.person, facts.person),
        (when.new_image, facts.new_image),
        (when.grew, facts.memory.grew),
        (when.known, facts.known),
        (when.quiet, facts.quiet),
        (when.calm, facts.calm),
        (when.errors, facts.errors),
    )
    return all(not any_of or is_ in any_of for any_of, is_ in one_of) and all(
        wanted is None or wanted == is_ for wanted, is_ in exactly
    )
