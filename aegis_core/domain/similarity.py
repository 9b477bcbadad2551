"""What makes two troubles alike: their words, their meaning, and how several opinions on that are put together."""

import re
from collections.abc import Iterable, Sequence
from math import sqrt
from operator import mul
from typing import Final

from .evidence import Evidence
from .lesson import Lesson, errors_of
from .target import Health

RANK_CONSTANT: Final = 60
"""k of reciprocal rank fusion: Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and
individual rank learning methods", SIGIR 2009."""

MOST_WORDS: Final = 40
LEAST_SHARED: Final = 0.3  # of the words of a trouble that a lesson of another fault has to share
MOST_CHARACTERS: Final = 3_000
_LINE: Final = 600
_PLACEHOLDER: Final = re.compile(r"<\w{1,8}>")
_WORD: Final = re.compile(r"[^\W\d_][\w]{2,39}")


def text_of(lesson: Lesson) -> str:
    """Write a lesson as the text that it is found by. Lessons that say the same have the same text."""
    ended = "healthy afterwards" if lesson.verified_healthy else "not healthy afterwards"
    head = f"{_plain(lesson.fault)} {_plain(lesson.category)} {lesson.image}"
    return _joined([head, lesson.issue, lesson.root_cause, *lesson.errors, f"{lesson.fix}: {ended}"])


def question_of(evidence: Evidence) -> str:
    """Write what is known of a trouble as the text that lessons are looked for with."""
    target = evidence.target
    failing = target.health_log[-1:] if target and target.health is Health.UNHEALTHY else ()
    head = f"{_plain(evidence.fault)} {target.image if target else ''}"
    return _joined([head, *errors_of(evidence), *failing])


def words_of(text: str) -> tuple[str, ...]:
    """Choose the words of a text that it can be found by, each once, in order."""
    found = _WORD.findall(_PLACEHOLDER.sub(" ", text.lower()))
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


def shared(question: str, text: str) -> float:
    """Tell which share of the words of a question stands in a text, 0 to 1."""
    words = words_of(question)
    known = set(_WORD.findall(text.lower()))
    return sum(word in known for word in words) / len(words) if words else 0.0


def fused(rankings: Iterable[Sequence[str]], k: int = RANK_CONSTANT) -> list[str]:
    """Merge rankings of keys, best first, by the sum of 1 / (k + rank); among equals the first ranking decides."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + rank)
    return sorted(scores, key=scores.__getitem__, reverse=True)


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors; 0 where they cannot be compared."""
    if len(a) != len(b):
        return 0.0
    size = sqrt(sum(map(mul, a, a)) * sum(map(mul, b, b)))
    return sum(map(mul, a, b)) / size if size else 0.0


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(" ".join(line.split())[:_LINE] for line in lines if line.strip())[:MOST_CHARACTERS]
