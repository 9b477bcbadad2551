"""Ranks lessons by what they mean: by the vectors that a model gives their texts. Off unless a model is named."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import structlog

from aegis_core.domain.similarity import cosine
from aegis_core.errors import BrainError, StoreError

from .recall import masked

MOST_NEW: Final = 15  # texts that are sent together with a question

_log = structlog.get_logger(__name__)


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    model: str

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return a vector for each text, all of one length. Raises BrainError."""


class Vectors(Protocol):
    """Vectors that are kept, by model and key. Raises StoreError."""

    def of(self, model: str) -> Mapping[str, Sequence[float]]:
        """Return the vectors that a model has given, by key."""

    def keep(self, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Keep vectors, and forget those of other models."""


class Meaning:
    """Ranks texts by the cosine of their vectors with that of the question.

    5,000 texts of 1,536 numbers take about half a second, beside a model that thinks for several.
    """

    def __init__(self, embedder: Embedder, vectors: Vectors) -> None:
        self._embedder = embedder
        self._vectors = vectors

    def ranked(self, question: str, texts: Mapping[str, str], most: int) -> Sequence[str]:
        """See `recall.Ranking.ranked`. Texts without a vector get theirs bit by bit, the newest first."""
        try:
            return self._ranked(question, texts, most)
        except (BrainError, StoreError) as error:
            _log.warning("lessons are searched by words alone", error=str(error))
            return ()

    def _ranked(self, question: str, texts: Mapping[str, str], most: int) -> Sequence[str]:
        known = dict(self._vectors.of(self._embedder.model))
        new = [key for key in texts if key not in known][: -MOST_NEW - 1 : -1]
        asked, *given = self._embedder.embed([masked(question), *(masked(texts[key]) for key in new)])
        fresh = dict(zip(new, given, strict=True))
        if fresh:
            self._vectors.keep(self._embedder.model, fresh)
        near = {key: cosine(asked, vector) for key, vector in {**known, **fresh}.items() if key in texts}
        return sorted(near, key=near.__getitem__, reverse=True)[:most]
