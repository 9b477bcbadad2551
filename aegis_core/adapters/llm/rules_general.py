"""Rules for what is left to say where no cause shows: they give way to every other rule."""

from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health

from .facts import Level
from .rule import Rule, any_of

_ERRORS: Final = frozenset({Fault.ERROR_LOGS, Fault.CUSTOM})
_MENDS: Final = "A restart gives it a fresh process."

_BROKE_DOWN: Final = any_of(
    r"traceback \(most recent call last\)|\bpanic(?:ked)?\b|segmentation fault",
    r"\bsig(?:segv|abrt|bus|fpe|ill)\b|core dumped|unhandled (?:exception|rejection|error)",
    r"uncaught (?:exception|error)|\bfatal error\b|assertion failed|exception in thread",
    r"terminate called after",
)

# What is left to say where no cause shows.
GENERAL_RULES: Final = (
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.82,
        general=True,
        down=True,
        log=_BROKE_DOWN,
        root_cause="The program broke down: {seen}",
        justification=_MENDS,
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.78,
        general=True,
        down=True,
        exit_codes=frozenset(range(1, 126)),
        root_cause="The program ended with an error, and its log names no cause from outside.",
        justification=_MENDS,
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.76,
        general=True,
        faults=frozenset({Fault.OOM_KILLED}),
        down=True,
        root_cause="It was reported to be killed for its use of memory.",
        justification="A restart begins with empty memory.",
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.73,
        general=True,
        exit_codes=frozenset({137}),
        root_cause="It was killed from outside (exit code 137), most often for its use of memory.",
        justification=_MENDS,
    ),
    Rule(
        category=Category.UNKNOWN,
        action=Action.RESTART,
        weight=0.72,
        general=True,
        exit_codes=frozenset({129, 130, 143}),
        root_cause="It was told to end, and not by a person.",
        justification="A restart brings it back.",
    ),
    Rule(
        category=Category.UNKNOWN,
        action=Action.RESTART,
        weight=0.5,
        general=True,
        exit_codes=frozenset({0}),
        root_cause="It ended by itself without an error; perhaps it was meant to.",
        justification="A service has to run; a task that is done has not. A person knows which it is.",
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.72,
        general=True,
        faults=frozenset({Fault.CRASH_LOOP}),
        root_cause="It ends again and again soon after its start.",
        justification=_MENDS,
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.78,
        general=True,
        faults=frozenset({Fault.UNHEALTHY}),
        health=Health.UNHEALTHY,
        root_cause="It runs and fails its health check, and its log names no cause from outside.",
        justification=_MENDS,
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.72,
        general=True,
        faults=frozenset({Fault.UNHEALTHY}),
        health=Health.NONE,
        root_cause="It was reported not to answer as it should.",
        justification=_MENDS,
    ),
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.6,
        general=True,
        faults=frozenset({Fault.MEMORY_PRESSURE}),
        memory=Level.UNKNOWN,
        root_cause="It was reported to use too much memory; it could not be measured.",
        justification="A restart frees the memory.",
    ),
    Rule(
        category=Category.CPU_SATURATION,
        action=Action.RESTART,
        weight=0.6,
        general=True,
        faults=frozenset({Fault.CPU_SATURATION}),
        cpu=Level.UNKNOWN,
        root_cause="It was reported to use too much CPU; it could not be measured.",
        justification="A restart ends whatever runs without an end.",
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.NOOP,
        weight=0.6,
        general=True,
        faults=_ERRORS,
        log=_BROKE_DOWN,
        root_cause="The program reports errors of its own: {seen}",
        justification="It runs on; a restart would not mend the error.",
    ),
    Rule(
        category=Category.SLOW_DEPENDENCY,
        action=Action.NOOP,
        weight=0.5,
        general=True,
        faults=frozenset({Fault.LATENCY}),
        root_cause="It answers slowly, and nothing that was seen says why; most often it waits for another service.",
        justification="A restart would drop requests and most likely not make it faster.",
    ),
    Rule(
        category=Category.UNKNOWN,
        action=Action.NOOP,
        weight=0.3,
        general=True,
        root_cause="The evidence does not tell what is wrong.",
        justification="Nothing is done without a reason; a person has to look.",
    ),
)
