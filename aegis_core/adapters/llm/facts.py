"""Facts: what the rules look at, taken out of the evidence, each with the evidence line that says so."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aegis_core.domain.evidence import Evidence, lines_of
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health, RunState, TargetState

from .levels import Limits, Measured, measured
from .loglines import LogLine, read_log, read_since

CALM_LINES: Final = 5  # fewer say nothing about a program's mood
_DOWN: Final = frozenset({RunState.EXITED, RunState.DEAD, RunState.RESTARTING})
_NEW_IMAGE: Final = ("image changed from", "is another build than before")


class Facts(NamedTuple):
    """What is known. `cite` maps a word (signal, state, person, image) to its evidence line."""

    fault: Fault
    known: bool  # the runtime knows the target
    down: bool | None  # None where it is not known
    exit_code: int | None  # of a target that is down; a process killed by signal n has 128 + n
    oom_killed: bool
    health: Health | None
    person: bool
    memory: Measured
    cpu: Measured
    latency: Measured
    new_image: bool
    happened: Sequence[LogLine]
    health_log: Sequence[LogLine]
    log: Sequence[LogLine]
    since: Sequence[LogLine]  # what the newest lines say after the last trouble
    text: str  # all lines and their words, to pass over quickly what cannot stand on any of them
    words: frozenset[str]
    quiet: bool  # the log speaks, and of no error
    calm: bool  # no line speaks of a failure, and most are called information
    errors: bool  # the program itself calls some of its lines errors
    cite: Mapping[str, str]


def facts_of(evidence: Evidence, limits: Limits) -> Facts:
    """Read the facts out of the evidence; above the limits a target is in trouble."""
    state = evidence.target
    texts = [line.text for line in lines_of(evidence)]
    down = state.run in _DOWN if state else None
    image = next((text for text in texts if text.startswith("changed lately: ") and _is_new_image(text)), "")
    happened = _after(texts, "happened: ", "neighbour: ")
    health_log = _after(texts, "health check: ") if state and state.health is Health.UNHEALTHY else []
    since = read_since(evidence)
    log = read_log(evidence, [text for text in texts if text.startswith("log: ")])
    quiet = bool(log) and not any(line.trouble for line in log)
    spoken = (*happened, *health_log, *log, *since)
    return Facts(
        fault=evidence.fault,
        known=state is not None,
        down=down,
        exit_code=_exit_code(state) if down else None,
        oom_killed=state.oom_killed if state else False,
        health=state.health if state else None,
        person=state.stopped_by_person if state else False,
        memory=measured(evidence, texts, "memory", limits),
        cpu=measured(evidence, texts, "cpu", limits),
        latency=measured(evidence, texts, "latency", limits),
        new_image=bool(image),
        happened=happened,
        health_log=health_log,
        log=log,
        since=since,
        text="\n".join(line.plain for line in spoken),
        words=frozenset().union(*(line.words for line in spoken)),
        quiet=quiet,
        calm=len(since) >= CALM_LINES and _informs(log, since),
        errors=any(line.called_error for line in log),
        cite={
            "signal": texts[0],
            "state": _starting(texts, "state: ") or texts[0],
            "person": _starting(texts, "state: a person") or texts[0],
            "image": image,
        },
    )


def _informs(log: Sequence[LogLine], newest: Sequence[LogLine]) -> bool:
    """Tell whether nothing fails by any line, and most of the newest ones are called information."""
    return not any(line.failure for line in log) and sum(line.informs for line in newest) > len(newest) / 2


def _starting(texts: Sequence[str], prefix: str) -> str:
    return next((text for text in texts if text.startswith(prefix)), "")


def _is_new_image(text: str) -> bool:
    return any(word in text for word in _NEW_IMAGE)


def _after(texts: Sequence[str], *prefixes: str) -> list[LogLine]:
    found = ((text, prefix) for text in texts for prefix in prefixes if text.startswith(prefix))
    return [LogLine.of(text.removeprefix(prefix), text)._replace(counts=1.0) for text, prefix in found]


def _exit_code(state: TargetState | None) -> int | None:
    code = state.exit_code if state else None
    return 128 - code if code is not None and code < 0 else code
