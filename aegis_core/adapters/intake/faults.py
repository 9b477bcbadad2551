"""Which fault an alert speaks of, and how urgent it is: read off its labels, its name and its metrics."""

import re
from collections.abc import Mapping
from typing import Final

from aegis_core.domain.signal import Fault, Severity, fault_of, severity_of

FAULT_LABELS: Final = ("aegis_fault", "fault")
SEVERITY_LABELS: Final = ("severity", "priority", "level", "urgency")

# The first line that fits wins, so what is more special stands above. Words are looked for in text in lower case with
# `_`, `-` and camel case taken apart.
_SIGNS: Final = tuple(
    (fault, re.compile(rf"\b(?:{words})\b"))
    for fault, words in (
        (Fault.OOM_KILLED, r"oom(?: ?kill\w{0,4})?|out of memory|oom events?"),
        (Fault.CRASH_LOOP, r"crash ?loop\w{0,10}|back ?off|flapping|restart(?:s|ed|ing)?"),
        (Fault.MEMORY_PRESSURE, r"memory|mem|ram|heap|rss|working ?set"),
        (
            Fault.CPU_SATURATION,
            r"cpus?|throttl\w{0,4}|(?:high|system|node|host) load|load ?(?:avg|average|high|\d{1,2})",
        ),
        (Fault.DISK_PRESSURE, r"disks?|file ?systems?|inodes?|storage|space|fs"),
        (Fault.ERROR_LOGS, r"\w{0,12}5 ?xx|(?:http|status|code) ?5\d\d|errors?|exceptions?|failures?"),
        (Fault.LATENCY, r"latency|latencies|slow\w{0,4}|response ?times?|durations?|p9\d|timeouts?"),
        (Fault.CRASHED, r"crash(?:ed|es)?|exit(?:ed|s)?|died|dead|terminated|killed|stopped|not running"),
        (
            Fault.UNHEALTHY,
            r"un ?healthy|health(?: ?checks?)?|down|absent|unreachable|unavailable|not responding|probe|gone",
        ),
    )
)
_PARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_URGENT: Final = frozenset({"p1", "p0", "sev0", "sev1", "s1", "1", "alert", "disaster"})
_MINOR: Final = frozenset(
    {"p4", "p5", "sev4", "sev5", "information", "informational", "none", "ok", "success", "debug"}
)


def fault_in(labels: Mapping[str, str], *texts: str) -> Fault:
    """Name the fault: a label `aegis_fault` or `fault` wins, else the first text that tells."""
    for name in FAULT_LABELS:
        word = labels.get(name, "")
        if word and (fault_of(word) is not Fault.CUSTOM or word.strip().lower() == Fault.CUSTOM):
            return fault_of(word)
    for text in texts:
        words = _PARTS.sub(" ", text).lower()
        for fault, sign in _SIGNS:
            if sign.search(words):
                return fault
    return Fault.CUSTOM


def severity_in(labels: Mapping[str, str], *words: str) -> Severity:
    """Name the urgency: by the first label of that kind, else by the first word that is not empty."""
    given = (*(labels.get(name, "") for name in SEVERITY_LABELS), *words)
    word = next((one.strip().lower() for one in given if one.strip()), "")
    if word in _URGENT:
        return Severity.CRITICAL
    return Severity.INFO if word in _MINOR else severity_of(word)
