"""Finds the lessons that resemble an incident (port `Recall`): by its marks, by its words and by its meaning."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

import structlog

from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson, signature_of, similar
from aegis_core.domain.masking import mask_lines
from aegis_core.domain.similarity import LEAST_SHARED, fused, question_of, shared, text_of, words_of
from aegis_core.errors import StoreError
from aegis_core.ports import Runbook

FAMILIAR: Final = 3  # lessons with the same signature: whoever has them need not look for others
MOST_RANKED: Final = 20  # of each ranking
MOST_NEW: Final = 200  # texts that are indexed at a time: each is masked first, which takes a millisecond

_log = structlog.get_logger(__name__)


class Texts(Protocol):
    """A full-text index of texts by key. Raises StoreError."""

    def keys(self) -> Collection[str]:
        """Return the keys of all texts."""

    def update(self, added: Mapping[str, str], dropped: Collection[str]) -> None:
        """Add texts, and drop others."""

    def search(self, words: Sequence[str], most: int) -> Sequence[tuple[str, float]]:
        """Return the texts that fit any of the words, the best first: key and score."""


class Ranking(Protocol):
    """A ranking by something else than words. It never raises."""

    def ranked(self, question: str, texts: Mapping[str, str], most: int) -> Sequence[str]:
        """Return the keys of the texts that mean most nearly the same as the question, the nearest first."""


class LessonRecall:
    """Looks lessons up in a runbook. Those that say the same are told once, by the newest of them.

    A lesson is known by a digest of what it says, so what people change or delete in the runbook is never stale here.
    """

    def __init__(self, runbook: Runbook, texts: Texts, meaning: Ranking | None = None) -> None:
        self._runbook = runbook
        self._texts = texts
        self._meaning = meaning
        self._pages: dict[str, tuple[Lesson, str, str]] = {}  # by incident: the lesson, its key and its text

    def similar(self, evidence: Evidence, most: int = 3) -> Sequence[Lesson]:
        """See `ports.Recall.similar`. A store or a model that is away costs its ranking, and nothing else."""
        lessons = self._runbook.lessons()
        signature = signature_of(evidence)
        same = [one for one in lessons if one.signature == signature and one.fault is evidence.fault]
        if len(same) >= FAMILIAR:
            return tuple(self._told(same)[0].values())[::-1][:most]
        newest, texts = self._told(lessons)
        marked = similar(newest.values(), evidence, evidence.name, MOST_RANKED)
        keys = {id(lesson): key for key, lesson in newest.items()}
        question = question_of(evidence)
        rankings = [[keys[id(one)] for one in marked], self._by_words(question, evidence, newest, texts)]
        if self._meaning:
            rankings.append(self._meaning.ranked(question, texts, MOST_RANKED))
        return tuple(newest[key] for key in fused(rankings)[:most])

    def _by_words(
        self, question: str, evidence: Evidence, newest: Mapping[str, Lesson], texts: Mapping[str, str]
    ) -> Sequence[str]:
        """Rank by words; a lesson of another fault has to share enough of them to be told at all."""
        try:
            self._index(texts)
            found = [hit for hit in self._texts.search(words_of(question), MOST_RANKED) if hit[0] in newest]
        except StoreError as error:
            _log.warning("lessons cannot be searched", error=str(error))
            return ()
        age = {key: -number for number, key in enumerate(newest)}  # among equals the newest comes first
        found.sort(key=lambda hit: (-round(hit[1], 6), age[hit[0]]))
        fault = evidence.fault
        return [key for key, _ in found if newest[key].fault is fault or shared(question, texts[key]) >= LEAST_SHARED]

    def _index(self, texts: Mapping[str, str]) -> None:
        known = set(self._texts.keys())
        new = [key for key in texts if key not in known][: -MOST_NEW - 1 : -1]  # the newest lessons first
        dropped = known - texts.keys()
        if new or dropped:
            self._texts.update({key: masked(texts[key]) for key in new}, dropped)

    def _told(self, lessons: Sequence[Lesson]) -> tuple[Mapping[str, Lesson], Mapping[str, str]]:
        """Put lessons under their keys, the oldest first: (the newest lesson of each key, what it says)."""
        newest: dict[str, Lesson] = {}
        texts: dict[str, str] = {}
        for lesson in lessons:
            key, text = self._page(lesson)
            newest.pop(key, None)  # so that it goes to the end
            texts.pop(key, None)
            newest[key], texts[key] = lesson, text
        return newest, texts

    def _page(self, lesson: Lesson) -> tuple[str, str]:
        known = self._pages.get(lesson.incident_id)
        if known is None or known[0] != lesson:
            text = text_of(lesson)
            key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
            known = self._pages[lesson.incident_id] = (lesson, key, text)
        return known[1], known[2]


def masked(text: str) -> str:
    """Mask a text of several lines."""
    return "\n".join(mask_lines(text.split("\n")))
