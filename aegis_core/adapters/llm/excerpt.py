"""The part of the evidence that a model is shown: what was measured, the errors that tell most, the newest lines."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from aegis_core.domain.evidence import RAW_TAIL_CHARACTERS, Evidence, Line, Precedent, lines_of
from aegis_core.domain.logs import clean_line, template_of

LINE_CHARACTERS: Final = 200
NAME_CHARACTERS: Final = 100
LOG: Final = "log: "
FIRST_ERRORS: Final = 5  # the first cause is among the errors that came first
LAST_ERRORS: Final = 3
FEW_ERRORS: Final = 3  # with fewer of them the other lines have to tell
OTHERS: Final = 6
NEWEST: Final = 3  # raw lines, besides what the numbered ones tell
LOG_SHARE: Final = 0.7  # of the room that the log may fill
GAPS: Final = 3

# The marks, and what models are trained to take for a change of speaker.
_MARKS: Final = re.compile(r"<{3,}|>{3,}")
_SPEAKERS: Final = re.compile(
    r"<(?=/?(?:[|｜]|s>|think|start_of|end_of|sys|im_|tool|user|assistant|system))|\[(?=/?(?:inst|tool|system))",
    re.IGNORECASE,
)
# When a line was written tells a model little and costs it much.
_TIME: Final = re.compile(
    r"[\[(]?\b(?:\d{4}[-/]\d\d[-/]\d\d[T ]|[A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?[\])]?[ \t]{0,4}"
)


def as_data(text: str, most: int = LINE_CHARACTERS) -> str:
    """Make one bounded line of a text, in which neither our marks nor a change of speaker can stand.

    Of a long one the two ends are kept: what happened stands at its beginning, and why at its end.
    """
    line = " ".join(clean_line(text).split())
    line = _SPEAKERS.sub(lambda found: found.group() + " ", _MARKS.sub(lambda found: found.group()[:2], line))
    if len(line) <= most:
        return line
    end = (most - 1) // 3
    return f"{line[: most - 1 - end]}…{line[len(line) - end :]}"


def excerpt(evidence: Evidence, room: int) -> Iterable[str]:
    """Choose lines of about `room` characters. Each keeps the number that it has in `lines_of`."""
    name = evidence.target.ref.name if evidence.target else evidence.name
    numbered = lines_of(evidence)
    log = [line for line in numbered if line.text.startswith(LOG)]
    measured = [line for line in numbered if not line.text.startswith(LOG)]
    yield f"Target: {as_data(name or 'unknown', NAME_CHARACTERS)}"
    yield from (f"Not known: {as_data(gap, NAME_CHARACTERS)}" for gap in evidence.missing[:GAPS])
    shown = _fitting(_ranked(evidence, log), int(room * LOG_SHARE))
    kept = _fitting(measured, room - _size(shown))
    yield from map(_told, kept)
    yield from (_told(line) for line in log if line in shown)
    left = len(numbered) - len(kept) - len(shown)
    if left:
        yield f"({left} lines left out)"
    yield from _besides(evidence, shown, room - _size(shown) - _size(kept))


def _ranked(evidence: Evidence, log: Sequence[Line]) -> Sequence[Line]:
    """The lines of the log, those that tell most first."""
    found = list(zip(log, evidence.templates, strict=False))
    errors = [line for line, template in found if template.error]
    others = [line for line, template in found if not template.error][:OTHERS] if len(errors) < FEW_ERRORS else []
    late = errors[FIRST_ERRORS:]
    return [*errors[:FIRST_ERRORS], *late[-LAST_ERRORS:], *late[:-LAST_ERRORS], *others]


def _besides(evidence: Evidence, shown: Sequence[Line], room: int) -> Iterable[str]:
    """Similar incidents, and the newest raw lines that no numbered line tells."""
    lessons = _that_fit([_lesson(precedent) for precedent in evidence.precedents], room // 2)
    if lessons:
        yield from ("Similar incidents of the past:", *lessons)
        room -= sum(len(one) + 1 for one in lessons)
    newest = _that_fit(_newest(evidence, shown), min(RAW_TAIL_CHARACTERS, room))
    if newest:
        yield from ("Newest log lines:", *reversed(newest))


def _newest(evidence: Evidence, shown: Sequence[Line]) -> Sequence[str]:
    """The newest lines of kinds that are not shown, the newest first."""
    texts = {line.text for line in shown}
    told = {template_of(one.example) for one in evidence.templates if any(one.example in text for text in texts)}
    fresh = {kind: line for line in evidence.tail if (kind := template_of(line)) not in told}
    return [as_data(_without_time(line)) for line in [*fresh.values()][::-1][:NEWEST]]


def _lesson(precedent: Precedent) -> str:
    tried = "healthy afterwards" if precedent.verified_healthy else "did not help"
    outcome = tried if precedent.tried else "general advice, not tried here"
    return as_data(f"- {precedent.fault} of {precedent.container}: {precedent.root_cause}; {precedent.fix}: {outcome}")


def _told(line: Line) -> str:
    return f"{line.number} {as_data(_without_time(line.text))}"


def _without_time(text: str) -> str:
    return _TIME.sub("", text, count=2)


def _size(lines: Sequence[Line]) -> int:
    return sum(len(_told(line)) + 1 for line in lines)


def _fitting(lines: Sequence[Line], room: int) -> Sequence[Line]:
    return lines[: len(_that_fit([_told(line) for line in lines], room))]


def _that_fit(texts: Sequence[str], room: int) -> list[str]:
    """Take texts from the front while there is room for them."""
    taken: list[str] = []
    for text in texts:
        room -= len(text) + 1
        if room < 0:
            break
        taken.append(text)
    return taken
