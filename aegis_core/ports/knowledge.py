"""What is thought and known: the brain, the runbook and what is found again in it."""

from collections.abc import Sequence
from typing import Protocol

from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.postmortem import Words


class Brain(Protocol):
    """Something that can diagnose: one rung, or the ladder over all of them."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Name the root cause and one action. Raises BrainError; the ladder as a whole never does."""


class Writer(Protocol):
    """Puts what happened into words for people."""

    def write(self, facts: str) -> Words:
        """Write a paragraph out of these facts (Markdown), and say who wrote it. Raises BrainError, also when late."""


class Runbook(Protocol):
    """The lessons. Raises RunbookError."""

    def lessons(self) -> Sequence[Lesson]:
        """Return every lesson, oldest first."""

    def add(self, lesson: Lesson) -> None:
        """Append a lesson durably; one that is there already (same incident) is left as it is."""


class Recall(Protocol):
    """Finds the lessons that resemble an incident."""

    def similar(self, evidence: Evidence, most: int = 3) -> Sequence[Lesson]:
        """Return at most so many lessons that may help, the closest first. Raises RunbookError."""
