"""Facts: what the rules look at, taken out of the evidence, each with the evidence line that says so."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from aegis_core.domain.evidence import FORESEEN_LINE, MOST_TEMPLATES, Evidence, lines_of
from aegis_core.domain.signal import FORESEEN, Fault
from aegis_core.domain.target import Health, RunState, TargetState

HEAD: Final = 700  # characters of a line that are matched against the rules
END: Final = 300
NEWEST_LINES: Final = 25  # raw log lines that count as recent
_DOWN: Final = frozenset({RunState.EXITED, RunState.DEAD, RunState.RESTARTING})
_REPORTED: Final[Mapping[str, frozenset[str]]] = {
    "memory": frozenset(
        {"memory", "mem", "memory_percent", "memory_pct", "memory_usage", "memory_usage_percent", "mem_percent"}
    ),
    "cpu": frozenset({"cpu", "cpu_percent", "cpu_pct", "cpu_usage", "cpu_usage_percent"}),
}


class Level(StrEnum):
    """Where a measured percentage stands."""

    OVER = "over"  # at or above the limit
    UNDER = "under"
    RISING = "rising"  # under it, and foreseen to reach it
    UNKNOWN = "unknown"


class LogLine(NamedTuple):
    """A line of the log: its text, the same for matching, the evidence line to cite, and whether it is recent."""

    text: str
    plain: str
    cite: str
    recent: bool


def _line(text: str, cite: str, recent: bool) -> LogLine:
    """Prepare a line for matching: lower case, and of a long one its two ends, where the cause stands."""
    plain = text if len(text) <= HEAD + END else f"{text[:HEAD]} {text[-END:]}"
    return LogLine(text, plain.lower(), cite, recent)


class Facts(NamedTuple):
    """What is known. `cite` maps a word (signal, state, memory, cpu, person) to its evidence line."""

    fault: Fault
    down: bool | None  # None where the target is not known
    exit_code: int | None  # of a target that is down; a process killed by signal n has 128 + n
    oom_killed: bool
    health: Health | None
    person: bool
    memory: Level
    cpu: Level
    health_log: Sequence[LogLine]
    log: Sequence[LogLine]
    cite: Mapping[str, str]


def facts_of(evidence: Evidence, memory_percent: float, cpu_percent: float) -> Facts:
    """Read the facts out of the evidence. The percentages are the limits above which a target is in trouble."""
    state = evidence.target
    texts = [line.text for line in lines_of(evidence)]
    memory, memory_line = _level(evidence, texts, "memory", memory_percent)
    cpu, cpu_line = _level(evidence, texts, "cpu", cpu_percent)
    down = state.run in _DOWN if state else None
    return Facts(
        fault=evidence.fault,
        down=down,
        exit_code=_exit_code(state) if down else None,
        oom_killed=state.oom_killed if state else False,
        health=state.health if state else None,
        person=state.stopped_by_person if state else False,
        memory=memory,
        cpu=cpu,
        health_log=_health_log(state, texts),
        log=_log(evidence, texts),
        cite={
            "signal": texts[0],
            "state": _starting(texts, "state: ") or texts[0],
            "person": _starting(texts, "state: a person") or texts[0],
            "memory": memory_line,
            "cpu": cpu_line,
        },
    )


def _starting(texts: Sequence[str], prefix: str) -> str:
    return next((text for text in texts if text.startswith(prefix)), "")


def _exit_code(state: TargetState | None) -> int | None:
    code = state.exit_code if state else None
    return 128 - code if code is not None and code < 0 else code


def _level(evidence: Evidence, texts: Sequence[str], what: str, limit: float) -> tuple[Level, str]:
    """Judge what was measured; where nothing was, a reported value counts, but only for trouble and not for its end."""
    usage = evidence.target.usage if evidence.target else None
    measured = (usage.memory_percent if what == "memory" else usage.cpu_percent) if usage else None
    if what == "memory" and FORESEEN in evidence.metrics and not (measured is not None and measured >= limit):
        return Level.RISING, _starting(texts, FORESEEN_LINE) or texts[0]
    if measured is not None:
        line = _starting(texts, "measured: memory" if what == "memory" else "measured: CPU")
        return (Level.OVER if measured >= limit else Level.UNDER), line or texts[0]
    for name, value in sorted(evidence.metrics.items()):
        if name.lower() in _REPORTED[what] and value >= limit:
            return Level.OVER, _starting(texts, f"reported metric: {name} =") or texts[0]
    return Level.UNKNOWN, texts[0]


def _health_log(state: TargetState | None, texts: Sequence[str]) -> list[LogLine]:
    if state is None or state.health is not Health.UNHEALTHY:
        return []
    cited = [text for text in texts if text.startswith("health check: ")]
    return [_line(text.removeprefix("health check: "), text, True) for text in cited]


def _log(evidence: Evidence, texts: Sequence[str]) -> list[LogLine]:
    """Templates first, because their numbered lines are what is cited; then what only stands in the raw tail."""
    recent = set(evidence.tail[-NEWEST_LINES:])
    templates = evidence.templates[:MOST_TEMPLATES]
    numbered = texts[len(texts) - len(templates) :]
    lines = [
        _line(template.example, text, not recent or template.example in recent)
        for template, text in zip(templates, numbered, strict=True)
    ]
    known = {line.text for line in lines}
    return lines + [_line(text, text, text in recent) for text in evidence.tail if text not in known]
