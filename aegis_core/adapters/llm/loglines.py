"""Log lines as the rules read them: made comparable, and each with how much it counts."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aegis_core.domain.evidence import MOST_TEMPLATES, Evidence
from aegis_core.domain.logs import is_error, template_of

from .phrase import plain, words_of

HEAD: Final = 700  # characters of a line that are read
END: Final = 300
NEWEST_LINES: Final = 25  # raw log lines that count as recent
LEVEL_WITHIN: Final = 160  # characters of a line in which its level is looked for
OLD: Final = 0.75  # of a line after which the log went on without any error
MERE: Final = 0.65  # of a warning without a word of failure, in a log that tells of no error
WRAPPED: Final = 0.6  # of an error that names its own cause in the line after it

_LEVEL: Final = re.compile(
    r"\b(?:level|severity|lvl|levelname|loglevel)\b[\"']?\s{0,2}[=:]\s{0,2}[\"']?(?P<named>\w{1,12})"
    r"|(?:^|[\s\[|(<\"'/,])(?P<bare>trace|debug|dbg|verbose|info|inf|notice|noti|note|warn(?:ing)?|wrn|error|erro|err|severe"
    r"|critical|crit|fatal|panic|alert|emerg)(?![\"']?\s?[:=]\s?\"[^\"])(?=[\s\]|)>:,\"'/]|$)"
    r"|^(?:\S{10,40} )?(?P<klog>[iwef])\d{4} \d\d:\d\d",
    re.IGNORECASE,
)
_ERROR, _WARN, _INFO, _DEBUG = "error", "warn", "info", "debug"
_LEVELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("trace", "debug", "dbg", "verbose", "10", "20"), _DEBUG),
    **dict.fromkeys(("info", "inf", "notice", "noti", "note", "information", "i", "30"), _INFO),
    **dict.fromkeys(("warn", "warning", "wrn", "w", "40"), _WARN),
}
_COUNTS: Final[Mapping[str, float]] = {"": 1.0, _ERROR: 1.0, _WARN: 0.9, _INFO: 0.6, _DEBUG: 0.4}
_BROKEN: Final = re.compile(
    r"segmentation fault|segfault|core dumped|\bcrash(?:ed|es|loop)|exited (?:with )?(?:code|status)? ?[1-9]"
    r"|panicked|unhandled|uncaught|no such host|address already in use|too many open files|expired|rejected",
    re.IGNORECASE,
)
# An event of Kubernetes: a Warning is what it calls whatever failed.
_EVENT: Final = re.compile(r"(?:^|\s)Warning(?:\s{2,}|\t)[A-Z][A-Za-z]{3,40}\s")
# What a person typed at a prompt is no output of any program.
_TYPED: Final = re.compile(r"^\s{0,4}(?:\[?[\w.-]{1,40}@[\w.-]{1,80}[: ][^\s$#]{0,120}\]?[$#]|\$|->) ")


class LogLine(NamedTuple):
    """A line of the log, how much it counts (0 to 1), and the evidence line that holds it ("" where none does)."""

    text: str
    plain: str
    words: frozenset[str]
    cite: str
    counts: float
    level: str
    trouble: bool  # it tells of something going wrong

    @classmethod
    def of(cls, text: str, cite: str) -> "LogLine":
        """Read a line; of a long one its two ends, where the cause stands."""
        short = text if len(text) <= HEAD + END else f"{text[:HEAD]} {text[-END:]}"
        comparable = plain(short)
        level = _ERROR if _EVENT.search(text[:LEVEL_WITHIN]) else _level(text[:LEVEL_WITHIN])
        trouble = level == _ERROR or (not level and (is_error(short) or _BROKEN.search(short) is not None))
        counts = 0.0 if _TYPED.match(text) else _COUNTS[level]
        return cls(text, comparable, words_of(comparable), cite, counts, level, trouble)

    @property
    def informs(self) -> bool:
        """The program itself calls it a mere information."""
        return self.level in (_INFO, _DEBUG)

    @property
    def failure(self) -> bool:
        """It speaks of a failure, whatever the program calls it."""
        return self.trouble or (not self.informs and is_error(self.text))

    @property
    def called_error(self) -> bool:
        """The program itself calls it an error."""
        return self.level == _ERROR


def read_log(evidence: Evidence, numbered: Sequence[str]) -> list[LogLine]:
    """Read the log of the evidence, in the order of its templates: errors in the order in which they first came.

    `numbered` are the evidence lines of the templates, to be cited. What the raw tail alone holds comes last.
    """
    cites = dict(zip((one.example for one in evidence.templates[:MOST_TEMPLATES]), numbered, strict=True))
    lines = [LogLine.of(one.example, cites.get(one.example, "")) for one in evidence.templates]
    known = {template_of(one.example) for one in evidence.templates}
    lines += [LogLine.of(text, "") for text in evidence.tail if template_of(text) not in known]
    newest = set(evidence.tail[-NEWEST_LINES:])
    went_on = len(evidence.tail) >= NEWEST_LINES and not any(one.trouble for one in lines if one.text in newest)
    fresh = {template_of(text) for text in newest} if went_on else set()
    if not any(one.trouble for one in lines):
        lines = [
            one._replace(counts=one.counts * MERE) if one.level == _WARN and not one.failure else one for one in lines
        ]
    followers = [*lines[1:], None][: len(lines)]
    return [_weighed(one, follower, fresh) for one, follower in zip(lines, followers, strict=True)]


def read_since(evidence: Evidence) -> list[LogLine]:
    """Read what the newest lines say after the last of them that tells of trouble; all of them where none does."""
    lines = [LogLine.of(text, "") for text in evidence.tail]
    last = max((place for place, line in enumerate(lines) if line.trouble), default=-1)
    return [line._replace(counts=1.0) for line in lines[last + 1 :] if line.counts]


def _weighed(line: LogLine, follower: LogLine | None, fresh: set[str]) -> LogLine:
    """Let a line count less where a deeper cause follows it, or where the log went on well after it."""
    counts = line.counts
    if follower is not None and follower.plain.startswith("caused by"):
        counts *= WRAPPED
    if fresh and template_of(line.text) not in fresh:
        counts *= OLD
    return line._replace(counts=counts)


def _level(head: str) -> str:
    found = _LEVEL.search(head)
    if found is None:
        return ""
    word = (found["named"] or found["bare"] or found["klog"]).lower()
    return _LEVELS.get(word, _ERROR if found["named"] is None or word.startswith(("err", "f", "c", "e")) else "")
