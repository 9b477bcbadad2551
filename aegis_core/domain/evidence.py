"""Evidence: what was gathered before anyone judged, as numbered lines that can be cited."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from .logs import Template
from .model import Stored, Value
from .signal import FORESEEN, Fault, Severity
from .target import Health, TargetState

MOST_TEMPLATES: Final = 20
FORESEEN_LINE: Final = "foreseen: memory reaches its limit in about"
RAW_TAIL_CHARACTERS: Final = 2_000  # of raw log tail by default (DESIGN §5)


class Precedent(Stored):
    """A lesson that resembles the incident, in short."""

    fault: Fault
    root_cause: str
    fix: str
    verified_healthy: bool
    container: str
    tried: bool = True  # False: advice that nobody has tried here yet


class Evidence(Stored):
    """Everything known about a fault at one moment, masked. `missing` names what could not be had, and why."""

    fault: Fault
    severity: Severity
    at: datetime
    name: str = ""  # what the signal calls the target, whether the runtime knows it or not
    target: TargetState | None = None
    metrics: Mapping[str, float] = {}
    templates: tuple[Template, ...] = ()
    tail: tuple[str, ...] = ()
    happenings: tuple[str, ...] = ()  # what the runtime says happened lately, oldest first
    changes: tuple[str, ...] = ()  # how the target's definition has changed lately
    course: tuple[str, ...] = ()  # how memory, CPU and other series went, in words
    recurrence: str = ""  # how often the same trouble came lately
    neighbours: tuple[str, ...] = ()  # those it hangs together with that are not well
    precedents: tuple[Precedent, ...] = ()
    tried: tuple[str, ...] = ()  # what this incident has tried already, and what came of it
    missing: tuple[str, ...] = ()


class Line(Value):
    """One numbered line of evidence."""

    number: str  # E1, E2, …
    text: str


def _state_lines(state: TargetState) -> Iterable[str]:
    yield (
        f"state: {state.run}, health {state.health}, exit code {state.exit_code}, "
        f"OOM-killed {'yes' if state.oom_killed else 'no'}, restarts {state.restart_count}"
    )
    if state.stopped_by_person:
        yield "state: a person stopped or paused it"
    if state.image:
        yield f"image: {state.image}"
    if state.started_at and state.run is not state.run.EXITED:
        yield f"running for {max(0.0, (state.at - state.started_at).total_seconds()):.0f} s"
    memory, cpus = state.limits.memory_bytes, state.limits.cpus
    if memory or cpus:
        yield f"limits: memory {memory // 2**20 if memory else 'none'} MiB, CPUs {cpus if cpus else 'none'}"
    if state.usage and state.usage.memory_percent is not None:
        yield f"measured: memory at {state.usage.memory_percent:.0f} % of its limit"
    if state.usage and state.usage.cpu_percent is not None:
        yield f"measured: CPU at {state.usage.cpu_percent:.0f} % of its allowance"
    if state.health is Health.UNHEALTHY:
        for entry in state.health_log[-2:]:
            yield f"health check: {entry}"


def _metric_lines(metrics: Mapping[str, float]) -> Iterable[str]:
    if FORESEEN in metrics:
        yield f"{FORESEEN_LINE} {metrics[FORESEEN]:.0f} s"
    for name in sorted(metrics.keys() - {FORESEEN}):
        yield f"reported metric: {name} = {metrics[name]:g}"


def lines_of(evidence: Evidence) -> tuple[Line, ...]:
    """Number the evidence. The order is stable, so that a number means the same line to the brain and to the check."""
    texts: list[str] = [f"signal: {evidence.fault} ({evidence.severity})"]
    if evidence.target:
        texts += _state_lines(evidence.target)
    texts += _metric_lines(evidence.metrics)
    texts += [f"course: {text}" for text in evidence.course]
    texts += [f"happened: {text}" for text in evidence.happenings[-10:]]
    texts += [f"recurrence: {evidence.recurrence}"] if evidence.recurrence else []
    texts += [f"changed lately: {text}" for text in evidence.changes[-5:]]
    texts += [f"neighbour: {text}" for text in evidence.neighbours[:5]]
    texts += [f"already tried: {text}" for text in evidence.tried]
    for template in evidence.templates[:MOST_TEMPLATES]:
        times = f"{template.count}× " if template.count > 1 else ""
        texts.append(f"log: {times}{template.example}")
    return tuple(Line(number=f"E{index}", text=text) for index, text in enumerate(texts, start=1))


def _plain(text: str) -> str:
    return " ".join(text.split()).strip(" \"'`").lower()


def cited(evidence: Evidence, citations: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Look citations up in the evidence: (the lines meant, word for word; the citations that are not there).

    A citation is a number (`E3`, `[E3]`, `E3: …`) or a piece of at least 12 characters of a line or of the raw tail.
    """
    numbered = {line.number: line.text for line in lines_of(evidence)}
    found: list[str] = []
    unknown: list[str] = []
    for citation in citations:
        head = citation.strip().lstrip("[(\"'`").split(":")[0].split()[:1]
        number = head[0].rstrip("]).,\"'`").upper() if head else ""
        text = numbered.get(number) or _quoted(evidence, numbered.values(), citation)
        if text is None:
            unknown.append(citation)
        elif text not in found:
            found.append(text)
    return tuple(found), tuple(unknown)


def _quoted(evidence: Evidence, texts: Iterable[str], citation: str) -> str | None:
    quote = _plain(citation)
    if len(quote) < 12:  # noqa: PLR2004 - shorter pieces are found everywhere
        return None
    return next((text for text in (*texts, *evidence.tail) if quote in _plain(text)), None)
