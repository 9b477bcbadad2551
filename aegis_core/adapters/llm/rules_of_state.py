"""Rules that rest on the state, on what was measured and on the health check."""

from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health

from .facts import Level
from .rule import Rule, any_of

_STUCK: Final = frozenset({Fault.UNHEALTHY, Fault.LATENCY})
_MENDS: Final = "A restart gives it a fresh process."

STATE_RULES: Final = (
    Rule(
        category=Category.HEALTHY,
        action=Action.NOOP,
        weight=0.95,
        person=True,
        root_cause="A person stopped or paused it.",
        justification="What a person decided is respected.",
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.92,
        oom_killed=True,
        down=True,
        root_cause="The kernel killed it because it used more memory than its limit.",
        justification="A restart begins with empty memory.",
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.9,
        faults=frozenset({Fault.MEMORY_PRESSURE}),
        memory=Level.OVER,
        root_cause="It holds nearly all the memory that it may use ({seen}).",
        justification="A restart frees the memory before the kernel kills it.",
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.86,
        faults=frozenset({Fault.MEMORY_PRESSURE}),
        memory=Level.RISING,
        root_cause="A memory leak: it grows steadily and is about to reach its limit ({seen}).",
        justification="A restart before that is shorter than being killed in the middle of the work.",
    ),
    Rule(
        category=Category.HEALTHY,
        action=Action.NOOP,
        weight=0.88,
        faults=frozenset({Fault.MEMORY_PRESSURE}),
        memory=Level.UNDER,
        root_cause="The memory is back below its limit ({seen}).",
        justification="There is nothing left to mend.",
    ),
    Rule(
        category=Category.CPU_SATURATION,
        action=Action.RESTART,
        weight=0.89,
        faults=frozenset({Fault.CPU_SATURATION}),
        cpu=Level.OVER,
        root_cause="It uses up its CPU allowance ({seen}).",
        justification="A restart ends whatever runs without an end.",
    ),
    Rule(
        category=Category.HEALTHY,
        action=Action.NOOP,
        weight=0.86,
        faults=frozenset({Fault.CPU_SATURATION}),
        cpu=Level.UNDER,
        root_cause="The CPU is back below its limit ({seen}).",
        justification="There is nothing left to mend.",
    ),
    Rule(
        category=Category.CPU_SATURATION,
        action=Action.RESTART,
        weight=0.76,
        faults=_STUCK,
        cpu=Level.OVER,
        root_cause="It is too busy to answer: its CPU allowance is used up ({seen}).",
        justification="A restart ends whatever runs without an end.",
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.8,
        faults=_STUCK,
        memory=Level.OVER,
        root_cause="It has hardly any memory left to work with ({seen}).",
        justification="A restart frees the memory.",
    ),
    Rule(
        category=Category.HEALTHY,
        action=Action.NOOP,
        weight=0.9,
        faults=frozenset({Fault.UNHEALTHY}),
        down=False,
        health=Health.HEALTHY,
        root_cause="Its health check passes again.",
        justification="There is nothing left to mend.",
    ),
    Rule(
        category=Category.HEALTHY,
        action=Action.NOOP,
        weight=0.9,
        faults=frozenset({Fault.CRASHED, Fault.OOM_KILLED}),
        down=False,
        root_cause="It ended, and runs again by now.",
        justification="It was started again already; only its health is verified.",
    ),
    Rule(
        category=Category.BAD_IMAGE,
        action=Action.NOOP,
        weight=0.86,
        exit_codes=frozenset({126, 127}),
        root_cause="What the container is told to run is not there or cannot be run (exit code 126 or 127).",
        justification="A restart would meet the same cause again; a person has to mend it.",
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.82,
        exit_codes=frozenset({132, 134, 135, 136, 139}),
        root_cause="The program broke down by itself: it ended with a fatal signal.",
        justification=_MENDS,
    ),
    Rule(
        category=Category.DISK_FULL,
        action=Action.NOOP,
        weight=0.76,
        faults=frozenset({Fault.DISK_PRESSURE}),
        root_cause="A disk or volume that it writes to is nearly full.",
        justification="A restart frees no disk space; somebody has to make room.",
    ),
)

HEALTH_CHECK_RULES: Final = (
    Rule(
        category=Category.HEALTHCHECK_MISCONFIG,
        action=Action.NOOP,
        weight=0.86,
        faults=frozenset({Fault.UNHEALTHY}),
        health_log=any_of(
            r"executable file not found|\bnot found\s*$",
            r"\b(?:curl|wget|nc|bash|python3?|node|pg_isready|redis-cli)['\"]?: (?:\d+: )?(?:command )?not found",
            r"no such file or directory|oci runtime exec failed|exec failed|permission denied",
            r"(?:unknown|invalid|unrecognized) (?:option|flag|argument)|could not resolve host|\b404\b",
        ),
        root_cause="The health check itself cannot work: {seen}",
        justification="The check is wrong, not the service; a restart would not change it.",
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.84,
        faults=frozenset({Fault.UNHEALTHY}),
        health_log=any_of(r"timed? ?out", r"timeout", r"exceeded", r"no response", r"empty reply"),
        root_cause="It runs and does not answer its health check: it hangs ({seen}).",
        justification=_MENDS,
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.8,
        faults=frozenset({Fault.UNHEALTHY}),
        health_log=any_of(
            r"\b5\d\d\b",
            r"connection refused",
            r"failed to connect",
            r"could ?n[o']t connect",
            r"connection reset",
        ),
        root_cause="It runs and fails its health check ({seen}).",
        justification=_MENDS,
    ),
)
