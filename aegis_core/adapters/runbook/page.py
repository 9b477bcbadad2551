"""The content of the runbook file: lessons, and whatever people have written between them."""

import json
import math
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from aegis_core.domain.lesson import Lesson


class PageError(ValueError):
    """The file is not a runbook."""


class Page:
    """A runbook document in memory. `begun`: it does not stand on disk yet."""

    def __init__(self, document: dict[str, Any], begun: bool = False) -> None:
        self._document = document
        self._entries: list[Any] = document["entries"]
        self.begun = begun

    @classmethod
    def begin(cls, starter: bool, lessons: Iterable[Lesson]) -> Self:
        """Begin a page with the starter lessons (if wanted) and these."""
        text = Path(__file__).with_name("starter.json").read_bytes() if starter else b'{"entries": []}'
        page = cls(json.loads(text), begun=True)
        page.add(lessons)
        return page

    def lessons(self) -> tuple[Lesson, ...]:
        """Return the entries that are lessons, oldest first."""
        found = (_lesson_of(entry) for entry in self._entries)
        return tuple(sorted((one for one in found if one), key=lambda one: one.timestamp))

    def add(self, lessons: Iterable[Lesson]) -> bool:
        """Append lessons of incidents that have none yet, oldest first. Tells whether there were any."""
        known = {entry["incident_id"] for entry in self._entries if _has_id(entry)}
        before = len(self._entries)
        for lesson in sorted(map(_in_utc, lessons), key=lambda one: one.timestamp):
            if lesson.incident_id not in known:
                known.add(lesson.incident_id)
                self._entries.append(lesson.model_dump(mode="json"))
        return len(self._entries) > before

    def trim(self, most: int) -> None:
        """Drop the oldest lessons until there are at most so many entries. What people wrote is never dropped."""
        surplus = len(self._entries) - most
        if surplus <= 0:
            return
        rows = ((index, _lesson_of(entry)) for index, entry in enumerate(self._entries))
        dated = sorted((lesson.timestamp, index) for index, lesson in rows if lesson)
        drop = {index for _, index in dated[:surplus]}
        self._entries[:] = [entry for index, entry in enumerate(self._entries) if index not in drop]

    def encoded(self) -> bytes:
        """Write the page for people: indented, and in their own script."""
        text = json.dumps(self._document, indent=2, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes the JSON escape that it came from


def read_page(raw: bytes) -> Page:
    """Read a file. Raises PageError when it is not `{"entries": [...]}`."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise PageError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise PageError("there is no list named 'entries' in it")
    return Page(document)


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("incident_id"), str)


def _lesson_of(entry: object) -> Lesson | None:
    try:
        lesson = _in_utc(Lesson.model_validate(entry))
    except ValidationError:
        return None
    return lesson if math.isfinite(lesson.seconds) and math.isfinite(lesson.confidence) else None


def _in_utc(lesson: Lesson) -> Lesson:
    """People write times without a zone; those are taken for UTC, because they could not be compared otherwise."""
    if lesson.timestamp.tzinfo is not None:
        return lesson
    return lesson.model_copy(update={"timestamp": lesson.timestamp.replace(tzinfo=UTC)})
