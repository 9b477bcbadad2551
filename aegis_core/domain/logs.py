"""Log lines as evidence: cleaned, cut, and folded into templates with counts, errors first."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from .model import Stored

LINE_LIMIT: Final = 2_048  # bytes of one line that are kept (DESIGN §5: cut before any pattern runs over it)
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]{0,16}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")  # line ends too: a line is one line
# Unicode "tags", variation selectors and bidirectional controls are invisible to a person and legible to a model.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
_VARIABLE: Final = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b0x[0-9a-fA-F]{1,32}\b"), "<hex>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b"), "<addr>"),
    (re.compile(r"\b(?=[0-9a-f]{0,63}\d)(?=[0-9a-f]{0,63}[a-f])[0-9a-f]{12,64}\b"), "<hex>"),
    (re.compile(r"\d{1,32}(?:\.\d{1,32})?"), "<n>"),
)
_ERROR: Final = re.compile(
    r"\b(?:\w{0,64}(?:error|exception)|err|fatal|panic|critical|crit|emerg|alert|traceback|fail(?:ed|ure)?|denied|refused|"
    r"timed? ?out|killed|oom|segfault|sigsegv|abort(?:ed)?|cannot|could not|unable|no space|unhealthy|deadlock)\b",
    re.IGNORECASE,
)


class Template(Stored):
    """Lines that differ only in numbers, times and ids: how many there were, and the last of them word for word."""

    count: int
    example: str
    error: bool


def clean_line(line: str) -> str:
    """Cut a line to `LINE_LIMIT` bytes and take out what no reader should meet.

    NUL, ANSI sequences, other controls, invisible characters and lone surrogates go (PostgreSQL refuses NUL, and
    SQLite refuses surrogates). The cut comes first, so that the cost is bounded whatever comes in.
    """
    cut = line[:LINE_LIMIT].encode("utf-8", "replace")[:LINE_LIMIT].decode("utf-8", "ignore")
    if cut.isascii() and cut.isprintable():
        return cut.rstrip()
    return _INVISIBLE.sub("", _CONTROL.sub(" ", _ANSI.sub("", cut))).rstrip()


def clean_lines(raw: str | bytes | Iterable[str], most: int = 200) -> tuple[str, ...]:
    """Split raw output into at most `most` clean lines, the newest kept; empty lines are left out."""
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "replace")
    lines = raw.split("\n") if isinstance(raw, str) else list(raw)
    cleaned = (clean_line(line) for line in lines[-most * 2 :])
    return tuple(line for line in cleaned if line.strip())[-most:]


def template_of(line: str) -> str:
    """Replace what varies from line to line (times, ids, addresses, numbers) by a placeholder."""
    for pattern, placeholder in _VARIABLE:
        line = pattern.sub(placeholder, line)
    return line


def is_error(line: str) -> bool:
    """Tell whether a line speaks of something going wrong."""
    return _ERROR.search(line) is not None


def fold(lines: Sequence[str]) -> tuple[Template, ...]:
    """Fold lines into templates: errors first, then the others, each group in order of first appearance."""
    counts: dict[str, int] = {}
    last: dict[str, str] = {}
    for line in lines:
        key = template_of(line)
        counts[key] = counts.get(key, 0) + 1
        last[key] = line
    templates = [Template(count=counts[key], example=last[key], error=is_error(last[key])) for key in counts]
    return tuple(sorted(templates, key=lambda t: not t.error))
