"""What a check of `aegis doctor` comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # Aegis works without it, or not as well as it could
    FAIL = "fail"  # Aegis cannot work like this


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was seen, and what to do about it."""

    name: str
    verdict: Verdict
    detail: str
    advice: str = ""


def ok(name: str, detail: str) -> Finding:
    return Finding(name, Verdict.OK, detail)


def warn(name: str, detail: str, advice: str = "") -> Finding:
    return Finding(name, Verdict.WARN, detail, advice)


def fail(name: str, detail: str, advice: str = "") -> Finding:
    return Finding(name, Verdict.FAIL, detail, advice)
