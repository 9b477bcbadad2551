"""Lessons found by their words in SQLite and by their meaning over a provider's wire format, in its failures too."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.llm.embeddings import SECONDS, CloudEmbedder, OllamaEmbedder
from aegis_core.adapters.runbook.meaning import MOST_NEW, Embedder, Meaning
from aegis_core.adapters.runbook.recall import MOST_NEW as MOST_INDEXED
from aegis_core.adapters.runbook.recall import LessonRecall, Texts
from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.search import SqlTexts, SqlVectors
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson, signature_of
from aegis_core.domain.logs import fold
from aegis_core.domain.opinion import FAILURES
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import StoreUnavailable
from tests import examples as make
from tests.integration.llm_servers import Exchange, Reply, Server, fails, hangs, ollama_server, openai_server, sends

# What the stand-in for a model knows of the world: words that mean the same are one number of its vectors.
CONCEPTS = (("memory", "cache", "heap", "sessions"), ("database", "connection", "refused"), ("disk", "export", "files"))


def vector(text: str) -> list[float]:
    return [0.01 + sum(text.lower().count(word) for word in concept) for concept in CONCEPTS]


class Written:
    """A runbook whose lessons a test sets."""

    def __init__(self, *entries: Lesson) -> None:
        self.entries = list(entries)

    def lessons(self) -> Sequence[Lesson]:
        return self.entries

    def add(self, lesson: Lesson) -> None:
        self.entries.append(lesson)


class Provider(NamedTuple):
    """A server that gives vectors, and the embedder that asks it."""

    name: str
    server: Server
    embedder: Callable[[str], Embedder]

    def answers(
        self, vectors: Callable[[Sequence[str]], object] = lambda texts: [vector(one) for one in texts]
    ) -> None:
        """From now on it answers with these vectors for what it is asked."""

        def reply(exchange: Exchange) -> None:
            given = vectors(self.asked()[-1])
            if self.name == "ollama":
                body = {"model": "m", "embeddings": given}
            else:
                rows = list(enumerate(given)) if isinstance(given, list) else given
                data = [{"object": "embedding", "index": index, "embedding": one} for index, one in rows]
                body = {"object": "list", "data": list(reversed(data)), "model": "m"}
            exchange.send(200, json.dumps(body).encode())

        self.server.script[:] = [reply]

    def asked(self) -> list[list[str]]:
        return [one.json["input"] for one in self.server.requests]


@pytest.fixture(params=["openai", "ollama"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with ExitStack() as stack:
        if request.param == "ollama":
            server = stack.enter_context(ollama_server())
            found = Provider("ollama", server, lambda model: OllamaEmbedder(base_url=server.url, model=model))
        else:
            server = stack.enter_context(openai_server())
            url = f"{server.url}/v1"
            found = Provider(
                "openai", server, lambda model: CloudEmbedder(base_url=url, api_key="sk-of-the-test", model=model)
            )
        found.answers()
        yield found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'aegis.db'}")) as database:
        yield database


def evidence(*lines: str, fault: Fault = Fault.MEMORY_PRESSURE) -> Evidence:
    target = make.state(image="shop/web:1")
    fields: dict[str, Any] = {"at": make.NOON, "name": "web", "target": target, "templates": fold(lines)}
    return Evidence(fault=fault, severity=Severity.CRITICAL, **fields)


def lesson(number: int, cause: str, *errors: str, **known: Any) -> Lesson:
    fields = {"timestamp": make.later(number), "container": f"other-{number}", "issue": "it failed"}
    return make.lesson(f"inc-{number}", root_cause=cause, errors=errors, **{**fields, "fault": Fault.CRASHED, **known})


def ids(found: Sequence[Lesson]) -> list[str]:
    return [one.incident_id for one in found]


REFUSED = evidence("ERROR connection to payments-db refused", fault=Fault.UNHEALTHY)
FULL = evidence("ERROR heap exhausted")


# ---- words


def test_the_same_error_is_recognised_under_another_fault(database: Database) -> None:
    alike = lesson(1, "Its database was down.", "ERROR connection to payments-db refused")
    runbook = Written(alike, lesson(2, "An error in a report: no more paper.", "ERROR no paper"))
    assert ids(LessonRecall(runbook, SqlTexts(database)).similar(REFUSED)) == ["inc-1"]


@pytest.mark.parametrize(
    "line", ['ERROR " OR text:* NEAR( --', "ERROR '; DROP TABLE lesson_texts;", "ERROR \0 ^ * {x}"]
)
def test_a_log_line_is_never_taken_for_a_query(database: Database, line: str) -> None:
    recall = LessonRecall(Written(lesson(1, "Its database was down.")), SqlTexts(database))
    with capture_logs() as told:
        recall.similar(evidence(line))
    assert told == []


def test_the_index_holds_masked_text_only_and_forgets_what_is_gone(database: Database) -> None:
    runbook = Written(lesson(1, "It logs in with password=hunter2hunter2."), lesson(2, "Another cause."))
    texts = SqlTexts(database)
    recall = LessonRecall(runbook, texts)
    recall.similar(FULL)
    with database.reading() as connection:
        stored = " ".join(connection.exec_driver_sql("SELECT text FROM lesson_texts").scalars())
    assert "password=***" in stored
    assert "hunter2" not in stored
    del runbook.entries[0]
    recall.similar(FULL)
    assert len(texts.keys()) == 1


def test_a_long_runbook_is_indexed_bit_by_bit_the_newest_lessons_first(database: Database) -> None:
    runbook = Written(*(lesson(number, f"Cause {number} of its own.") for number in range(MOST_INDEXED + 50)))
    texts = SqlTexts(database)
    recall = LessonRecall(runbook, texts)
    recall.similar(FULL)
    assert len(texts.keys()) == MOST_INDEXED
    recall.similar(FULL)
    assert len(texts.keys()) == MOST_INDEXED + 50


class Away:
    """A store that does not answer."""

    def keys(self) -> Sequence[str]:
        raise StoreUnavailable

    def update(self, added: object, dropped: object) -> None:
        raise StoreUnavailable

    def search(self, words: Sequence[str], most: int) -> Sequence[tuple[str, float]]:
        raise StoreUnavailable


def test_without_the_store_lessons_are_found_by_their_marks() -> None:
    texts: Texts = Away()
    runbook = Written(lesson(1, "A cache grows.", fault=Fault.MEMORY_PRESSURE))
    assert ids(LessonRecall(runbook, texts).similar(FULL)) == ["inc-1"]


# ---- meaning


def by_meaning(runbook: Written, database: Database, provider: Provider, model: str = "m") -> LessonRecall:
    meaning = Meaning(provider.embedder(model), SqlVectors(database))
    return LessonRecall(runbook, SqlTexts(database), meaning)


def test_what_means_the_same_is_found_without_a_common_word(database: Database, provider: Provider) -> None:
    runbook = Written(lesson(1, "The sessions cache has no bound."), lesson(2, "The export keeps its files on disk."))
    assert ids(LessonRecall(runbook, SqlTexts(database)).similar(FULL)) == []
    assert ids(by_meaning(runbook, database, provider).similar(FULL))[0] == "inc-1"


def test_a_text_is_sent_once_and_its_vector_kept_also_over_a_restart(database: Database, provider: Provider) -> None:
    runbook = Written(lesson(1, "The sessions cache has no bound."))
    by_meaning(runbook, database, provider).similar(FULL)
    by_meaning(runbook, database, provider).similar(FULL)
    runbook.add(lesson(2, "The export keeps its files on disk."))
    by_meaning(runbook, database, provider).similar(FULL)
    assert [len(texts) for texts in provider.asked()] == [2, 1, 2]


def test_another_model_gives_its_own_vectors(database: Database, provider: Provider) -> None:
    runbook = Written(lesson(1, "The sessions cache has no bound."))
    for model in ("first", "second", "second"):
        by_meaning(runbook, database, provider, model).similar(FULL)
    assert [len(texts) for texts in provider.asked()] == [2, 2, 1]
    assert len(SqlVectors(database).of("second")) == 1
    assert SqlVectors(database).of("first") == {}


def test_a_long_runbook_is_sent_bit_by_bit(database: Database, provider: Provider) -> None:
    runbook = Written(*(lesson(number, f"Cause {number} of its own.") for number in range(2 * MOST_NEW)))
    recall = by_meaning(runbook, database, provider)
    for _ in range(3):
        recall.similar(FULL)
    assert [len(texts) for texts in provider.asked()] == [1 + MOST_NEW, 1 + MOST_NEW, 1]


def test_no_secret_leaves_the_host(database: Database, provider: Provider) -> None:
    runbook = Written(lesson(1, "It logs in with password=hunter2hunter2."))
    by_meaning(runbook, database, provider).similar(evidence("ERROR login with password=correcthorsebattery refused"))
    sent = b"".join(one.body for one in provider.server.requests)
    assert b"password=***" in sent
    assert b"hunter2" not in sent
    assert b"correcthorse" not in sent


def test_a_familiar_trouble_asks_no_model(database: Database, provider: Provider) -> None:
    known = {"signature": signature_of(FULL), "fault": Fault.MEMORY_PRESSURE, "image": "shop/web:1"}
    runbook = Written(*(lesson(number, f"Cause {number}.", **known) for number in range(3)))
    assert ids(by_meaning(runbook, database, provider).similar(FULL)) == ["inc-2", "inc-1", "inc-0"]
    assert provider.asked() == []


FAILURES_OF_A_SERVER: dict[str, Reply] = {
    "it fails": fails(500, "out of memory"),
    "it knows no such model": fails(404, "no such model"),
    "it is no such server": sends(b"<html>hello</html>", "text/html"),
    "it answers with something else": sends(b'{"data": [{"index": 0, "embedding": ["x"]}], "embeddings": [["x"]]}'),
    "it floods": sends(b'{"embeddings": [[' + b"1," * 4 * 2**20 + b"1]]}"),
}


@pytest.mark.parametrize("how", list(FAILURES_OF_A_SERVER))
def test_a_provider_that_fails_costs_its_ranking_and_nothing_else(
    database: Database, provider: Provider, how: str
) -> None:
    provider.server.script[:] = [FAILURES_OF_A_SERVER[how]]
    runbook = Written(lesson(1, "A cache grows.", fault=Fault.MEMORY_PRESSURE))
    with capture_logs() as told:
        assert ids(by_meaning(runbook, database, provider).similar(FULL)) == ["inc-1"]
    assert [one["event"] for one in told] == ["lessons are searched by words alone"]


@pytest.mark.parametrize("given", [[], [[1.0]], [[1.0, 2.0], [1.0]], [[], []], [[1e39, 1.0], [1.0, 1.0]]])
def test_vectors_that_cannot_be_used_are_not_kept(database: Database, provider: Provider, given: object) -> None:
    provider.answers(lambda _: given)
    runbook = Written(lesson(1, "A cache grows.", fault=Fault.MEMORY_PRESSURE))
    assert ids(by_meaning(runbook, database, provider).similar(FULL)) == ["inc-1"]
    assert SqlVectors(database).of("m") == {}


def test_a_provider_that_is_silent_is_waited_for_a_moment_only(database: Database, provider: Provider) -> None:
    provider.server.script[:] = [hangs]
    begun = time.monotonic()
    by_meaning(Written(lesson(1, "A cache grows.")), database, provider).similar(FULL)
    assert time.monotonic() - begun < SECONDS + 2


def test_a_provider_that_keeps_failing_is_left_alone_for_a_while(database: Database, provider: Provider) -> None:
    provider.server.script[:] = [fails(500)]
    recall = by_meaning(Written(lesson(1, "A cache grows.")), database, provider)
    for _ in range(FAILURES + 3):
        recall.similar(FULL)
    assert len(provider.server.requests) == FAILURES
