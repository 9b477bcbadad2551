"""One evaluation: who was asked what, when, and how good the answers were."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from .model import Stored
from .score import Score
from .trial import Answered

OWN_INCIDENTS: Final = "own incidents"
"""The origin of questions that were made of the user's own incidents."""


class Evaluation(Stored):
    """A score with everything that it rests on, so that it can be compared with another one and looked into."""

    at: datetime
    brain: str  # rules, cloud, ollama or ladder
    origin: str  # the folder of the cases, or `OWN_INCIDENTS`
    version: str  # of Aegis
    prompt: str = ""  # the version of the prompt, where a model was asked
    score: Score
    answers: tuple[Answered, ...]

    @property
    def worst(self) -> Sequence[Answered]:
        """The answers that went wrong, the worst first."""
        by_id = {one.id: one for one in self.answers}
        return [by_id[name] for name in self.score.worst]
