"""Evidence as a prompt: bounded, masked once more, and log lines kept as data between marks."""

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from string import Template
from typing import Final, NamedTuple

from aegis_core.domain.evidence import RAW_TAIL_CHARACTERS, Evidence, Precedent, lines_of
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask

VERSION: Final = "diagnose_v1"
MOST_CHARACTERS: Final = 12_000  # about 4,000 tokens: fits the 8,192 that Ollama is asked for, with the answer
LEAST_CHARACTERS: Final = 6_000  # the fixed text takes 4,000
LINE_CHARACTERS: Final = 400
ANSWER_CHARACTERS: Final = 2_000  # of an answer that is shown to the model again
NUMBERED_SHARE: Final = 0.7  # of the room for evidence that the numbered lines may fill

# The marks, and what models are trained to take for a change of speaker.
_MARKS: Final = re.compile(r"<{3,}|>{3,}")
_SPEAKERS: Final = re.compile(
    r"<(?=/?(?:[|｜]|s>|think|start_of|end_of|sys|im_|tool|user|assistant|system))|\[(?=/?(?:inst|tool|system))",
    re.IGNORECASE,
)


class Message(NamedTuple):
    """One turn of the talk with a model; `role` is system, user or assistant."""

    role: str
    content: str


def sections(version: str) -> dict[str, str]:
    """The parts of a prompt, by the names of their headings."""
    text = files(__package__).joinpath("prompts", f"{version}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


_SECTIONS: Final = sections(VERSION)


def render(
    evidence: Evidence, most: int = MOST_CHARACTERS, secrets: frozenset[str] = frozenset()
) -> tuple[Message, ...]:
    """Write the messages of a diagnosis, at most `most` characters (not below `LEAST_CHARACTERS`) in all.

    What does not fit is left out from the end: first raw log lines, then lessons, then the less telling templates.
    The numbers of the lines stay those of `lines_of`. `secrets` are masked besides what looks like one.
    """
    system, user = _SECTIONS["system"], _SECTIONS["user"]
    room = max(most, LEAST_CHARACTERS) - len(system) - len(user)
    body = mask("\n".join(_body(evidence, room)), secrets)[:room]  # stars can be longer than what they replace
    return Message("system", system), Message("user", Template(user).substitute(evidence=body))


def repair(answer: str, problem: str, secrets: frozenset[str] = frozenset()) -> tuple[Message, ...]:
    """Write the messages that show a model its own answer again and say what is wrong with it."""
    shown = mask(answer[:ANSWER_CHARACTERS], secrets).strip() or "(nothing)"
    return (
        Message("assistant", shown),
        Message("user", Template(_SECTIONS["repair"]).substitute(problem=mask(as_data(problem, 600), secrets))),
    )


def as_data(text: str, most: int = LINE_CHARACTERS) -> str:
    """Make one bounded line of a text, in which neither our marks nor a change of speaker can stand."""
    line = " ".join(clean_line(text).split())
    line = _SPEAKERS.sub(lambda found: found.group() + " ", _MARKS.sub(lambda found: found.group()[:2], line))
    return line if len(line) <= most else line[: most - 1] + "…"


def _body(evidence: Evidence, room: int) -> Iterable[str]:
    name = evidence.target.ref.name if evidence.target else "unknown"
    head = [f"Target: {as_data(name, 100)}", *(f"Not known: {as_data(gap, 200)}" for gap in evidence.missing[:5])]
    numbered = [f"{line.number} {as_data(line.text)}" for line in lines_of(evidence)]
    lessons = [_lesson(precedent) for precedent in evidence.precedents]
    room -= _size(head)
    shown = _fitting(numbered, int(room * NUMBERED_SHARE))
    room -= _size(shown)
    known = _fitting(lessons, room // 2)
    room -= _size(known)
    newest = _fitting([as_data(line) for line in reversed(evidence.tail)], min(RAW_TAIL_CHARACTERS, room) - 200)
    yield from head
    yield from shown
    if len(shown) < len(numbered):
        yield f"({len(numbered) - len(shown)} lines left out)"
    if known:
        yield from ("Similar incidents of the past:", *known)
    if newest:
        yield from ("Newest log lines:", *reversed(newest))


def _lesson(precedent: Precedent) -> str:
    tried = "healthy afterwards" if precedent.verified_healthy else "did not help"
    outcome = tried if precedent.tried else "general advice, not tried here"
    return as_data(f"- {precedent.fault} of {precedent.container}: {precedent.root_cause}; {precedent.fix}: {outcome}")


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """Take lines from the front while there is room for them."""
    taken: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken
