"""A full-text index and the vectors beside it, on SQLite's FTS5. Both can be thrown away: lessons fill them again."""

import hashlib
from array import array
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.sqlite import insert

from .database import Database
from .tables import lesson_vectors

_KEYS = text("SELECT key FROM lesson_texts")
_PUT = text("INSERT OR REPLACE INTO lesson_texts (rowid, key, text) VALUES (:row, :key, :text)")
_DROP = text("DELETE FROM lesson_texts WHERE rowid = :row")
_FIND = text(
    "SELECT key, -bm25(lesson_texts) AS score FROM lesson_texts WHERE lesson_texts MATCH :query"
    " ORDER BY rank LIMIT :most"
)


class SqlTexts:
    """Texts by key, found by their words (BM25 as FTS5 computes it)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self) -> Collection[str]:
        """Return the keys of all texts. Raises StoreUnavailable."""
        with self._database.reading() as connection:
            return connection.execute(_KEYS).scalars().all()

    def update(self, added: Mapping[str, str], dropped: Collection[str]) -> None:
        """Add texts, and drop others with their vectors. Raises StoreUnavailable."""
        with self._database.writing(durable=False) as connection:
            if added:
                connection.execute(_PUT, [{"row": _row(key), "key": key, "text": said} for key, said in added.items()])
            for key in dropped:
                connection.execute(_DROP, {"row": _row(key)})
                connection.execute(delete(lesson_vectors).where(lesson_vectors.c.key == key))

    def search(self, words: Sequence[str], most: int) -> Sequence[tuple[str, float]]:
        """Return the texts that fit any of the words, the best first: key and score (BM25). Raises StoreUnavailable."""
        quoted = [f'"{word}"' for word in (one.replace('"', "").replace("\0", "") for one in words) if word]
        if not quoted:
            return ()
        with self._database.reading() as connection:
            found = connection.execute(_FIND, {"query": " OR ".join(quoted), "most": most})
            return [(row.key, row.score) for row in found]


def _row(key: str) -> int:
    """A row number out of a key: FTS5 finds a text by its row at once, and by its key only by reading them all."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big")


class SqlVectors:
    """Vectors by model and key, as 32-bit floats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, model: str) -> Mapping[str, Sequence[float]]:
        """Return the vectors that a model has given, by key. Raises StoreUnavailable."""
        mine = select(lesson_vectors.c.key, lesson_vectors.c.vector).where(lesson_vectors.c.model == model)
        with self._database.reading() as connection:
            return {row.key: array("f", row.vector) for row in connection.execute(mine)}

    def keep(self, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Keep vectors, and forget those of other models. Raises StoreUnavailable."""
        rows = [{"key": key, "model": model, "vector": array("f", one).tobytes()} for key, one in vectors.items()]
        with self._database.writing(durable=False) as connection:
            connection.execute(delete(lesson_vectors).where(lesson_vectors.c.model != model))
            if rows:
                adding = insert(lesson_vectors)
                renewed = {"model": adding.excluded.model, "vector": adding.excluded.vector}
                connection.execute(adding.on_conflict_do_update(index_elements=["key"], set_=renewed), rows)
