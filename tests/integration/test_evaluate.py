"""`aegis eval` as a command: against servers that speak the wire formats, in their failures, and on a real store."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from aegis_core.adapters.evaluations import EvaluationFolder
from aegis_core.adapters.store.past import closed_incidents, read_only
from aegis_core.cli import main
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.evaluation import OWN_INCIDENTS, Evaluation
from aegis_core.domain.score import score
from aegis_core.errors import ConfigError
from tests.examples import later
from tests.unit.domain.trials import answered, question
from tests.unit.domain.trials import said as said_of

from .api_house import ApiHouse
from .llm_servers import ANSWER_TOKENS, PROMPT_TOKENS, Reply, answer, fails, ollama_server, openai_server, says

CASES: Sequence[dict[str, Any]] = [
    {
        "id": "own-disk",
        "container": "ledger",
        "log": "starting\nwrite /var/lib/ledger/journal.7: no space left on device",
        "label": "disk_full",
        "sensible_action": "NOOP",
        "label_certainty": "high",
    },
    {
        "id": "own-heap",
        "container": "search",
        "log": "java.lang.OutOfMemoryError: Java heap space, api_key=abcdef0123456789abcdef",
        "metrics": {"memory_percent": 99},
        "label": "oom",
        "sensible_action": "SCALE_UP",
        "also_acceptable": ["RESTART"],
        "label_certainty": "medium",
    },
]
WRONG = answer(category="oom", action="RESTART", confidence=0.9)


@dataclass(frozen=True)
class Said:
    """What the command came to, and what it wrote to `--json`."""

    code: int
    out: str
    err: str
    written: Evaluation | None

    @property
    def figures(self) -> Evaluation:
        assert self.written, self.err
        return self.written


Run = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]


class Desk:
    """A folder of cases, a data folder, and the command."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder, self.cases, self.data = folder, folder / "cases", folder / "data"
        self.run = run
        self.cases.mkdir()

    def put(self, name: str, content: Any) -> None:
        (self.cases / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))

    def eval(self, *arguments: str, **env: str) -> Said:
        """Run the command on the cases, unless the arguments say on what."""
        file = self.folder / "figures.json"
        file.unlink(missing_ok=True)
        on = [] if "--from-store" in arguments else [str(self.cases)]
        words = ["eval", *on, "--json", str(file), *arguments]
        done = self.run(words, {"AEGIS_DATA_DIR": str(self.data), **env})
        written = Evaluation.model_validate_json(file.read_text()) if file.exists() else None
        return Said(*done, written)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """The command runs in this very process, in a folder of its own and with no settings but those given."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("AEGIS_"):
            monkeypatch.delenv(name)

    def run(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aegis", *words])
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        return int(ended.value.code or 0), *capsys.readouterr()

    one = Desk(tmp_path, run)
    for case in CASES:
        one.put(case["id"], case)
    yield one
    structlog.reset_defaults()  # the command has silenced the logs of its process


def as_a_process(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str, str]:
    """Run the command as a person does."""
    done = subprocess.run(
        [sys.executable, "-m", "aegis_core", *words],
        env={**{name: value for name, value in os.environ.items() if not name.startswith("AEGIS_")}, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    one = ApiHouse(tmp_path / "data")
    try:
        yield one
    finally:
        one.close()


# ---- whom it asks


def test_the_rules_are_measured_without_anybody_else(desk: Desk) -> None:
    said = desk.eval("--brain", "rules")
    assert (said.code, said.err) == (0, "")
    assert said.figures.score.root_cause.hits == 2
    assert (said.figures.brain, said.figures.origin, said.figures.prompt) == ("rules", str(desk.cases), "")
    for told in ("root cause right", "100.0%", "wrong act", "macro-F1", "ECE", "rules on 2 cases"):
        assert told in said.out


def test_an_openai_compatible_server_is_measured_by_one_command(desk: Desk) -> None:
    with openai_server(says(WRONG)) as server:
        said = desk.eval("--brain", "cloud", "--url", f"{server.url}/v1", "--model", "small")
    assert (said.code, said.err) == (0, "")
    figures = said.figures.score
    assert (figures.root_cause.hits, figures.wrong_act.hits, figures.cases) == (1, 1, 2)
    assert figures.worst == ("own-disk",)
    assert figures.answered_by == {"cloud small": 2}
    assert figures.prompt_tokens
    assert (figures.prompt_tokens.median, figures.answer_tokens.median) == (PROMPT_TOKENS, ANSWER_TOKENS)  # type: ignore[union-attr]
    assert said.figures.prompt
    assert [request.json["model"] for request in server.requests] == ["small", "small"]
    asked = server.requests[1].body.decode()
    assert "OutOfMemoryError" in asked
    assert "memory_percent" in asked
    assert "abcdef0123456789abcdef" not in asked  # masked
    assert "SCALE_UP or RESTART" not in asked  # nor is the answer told


def test_an_ollama_server_is_measured_by_the_same_command(desk: Desk) -> None:
    with ollama_server(says(answer(category="disk_full", action="NOOP"))) as server:
        said = desk.eval("--brain", "ollama", AEGIS_OLLAMA_URL=server.url, AEGIS_OLLAMA_MODEL="small:1b")
    assert said.code == 0
    assert said.figures.score.answered_by == {"ollama small:1b": 2}
    assert said.figures.score.root_cause.hits == 1
    assert server.requests[0].path == "/api/chat"


def test_the_ladder_is_measured_as_it_serves(desk: Desk) -> None:
    with openai_server(fails(500)) as server:
        said = desk.eval(AEGIS_LLM_BASE_URL=f"{server.url}/v1", AEGIS_LLM_TIMEOUT_SECONDS="2")
    assert (said.code, said.figures.brain) == (0, "ladder")
    assert server.requests
    assert [one.diagnosis and one.diagnosis.source for one in said.figures.answers] == ["rules", "rules"]
    assert all(one.diagnosis and "500" in one.diagnosis.passed_over[0] for one in said.figures.answers)


@pytest.mark.parametrize("reply", [fails(500), fails(401), says("no JSON at all"), says(answer(evidence=["E99"]))])
def test_a_model_that_gives_no_answer_has_abstained_and_the_run_ends_well(desk: Desk, reply: Reply) -> None:
    with openai_server(reply) as server:
        said = desk.eval("--brain", "cloud", "--url", f"{server.url}/v1", "--timeout", "2")
    assert said.code == 0
    figures = said.figures.score
    assert (figures.abstained.hits, figures.root_cause.hits, figures.wrong_act.hits) == (2, 0, 0)
    assert figures.answered_by == {"(no answer)": 2}
    assert all(one.problem for one in said.figures.answers)
    assert "no answer" in said.out


def test_where_nobody_listens_every_case_is_unanswered(desk: Desk) -> None:
    said = desk.eval("--brain", "ollama", "--url", "http://127.0.0.1:9")
    assert (said.code, said.figures.score.abstained.hits) == (0, 2)
    assert "not reachable" in said.figures.answers[0].problem


def test_as_a_command_of_its_own_it_says_the_same(desk: Desk) -> None:
    desk.run = as_a_process
    with openai_server(fails(500)) as server:
        said = desk.eval(AEGIS_LLM_BASE_URL=f"{server.url}/v1", AEGIS_LLM_TIMEOUT_SECONDS="2")
    assert (said.code, said.err) == (0, "")
    assert said.figures.score.cases == 2
    assert said.out.startswith("  … asking ladder about 2 cases\nladder on 2 cases of ")
    missing = desk.eval("--brain", "cloud")
    assert (missing.code, missing.out, missing.err.count("\n")) == (2, "", 1)


# ---- what cannot be asked


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--brain", "cloud"), "AEGIS_LLM_API_KEY"),
        (("--brain", "ollama"), "AEGIS_OLLAMA_URL"),
        (("--brain", "rules", "--model", "x"), "the rules ask no model"),
        (("--case", "nobody"), "there is no case nobody"),
        (("--from-store", "--brain", "rules"), "there is no store"),
        (("--brain", "rules", "--url", "nonsense"), "--url"),
        (("--brain", "cloud", "--url", "nonsense"), "AEGIS_LLM_BASE_URL"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(desk: Desk, arguments: Sequence[str], told: str) -> None:
    said = desk.eval(*arguments)
    assert (said.code, said.out, said.written) == (2, "", None)
    assert said.err.startswith("aegis: ")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_a_folder_without_a_case_is_an_error(desk: Desk) -> None:
    for file in desk.cases.iterdir():
        file.unlink()
    (desk.cases / "notes.txt").write_text("no case")
    said = desk.eval("--brain", "rules")
    assert (said.code, "there is no case in" in said.err) == (2, True)


def test_a_folder_that_is_not_there_is_an_error(desk: Desk) -> None:
    for file in desk.cases.iterdir():
        file.unlink()
    desk.cases.rmdir()
    assert desk.eval("--brain", "rules").code == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({**CASES[0], "id": "x", "label": "gremlins"}, "bad.json: 'label'"),
        ("{ broken", "bad.json: is no JSON"),
        ([{**CASES[0], "id": "x"}, {"id": "y"}], "bad.json[1]: 'container' is missing"),
        (CASES[0], "two cases have the 'id' own-disk"),
        ("null", "bad.json: a case is a JSON object"),
    ],
)
def test_a_file_that_is_no_case_is_named(desk: Desk, content: Any, told: str) -> None:
    desk.put("bad", content)
    said = desk.eval("--brain", "rules")
    assert (said.code, told in said.err) == (2, True), said.err


def test_several_cases_in_one_file_and_in_folders_are_read(desk: Desk) -> None:
    (desk.cases / "more").mkdir()
    desk.put("more/both", [{**CASES[0], "id": "a"}, {**CASES[1], "id": "b"}])
    said = desk.eval("--brain", "rules")
    assert [one.id for one in said.figures.answers] == ["a", "b", "own-disk", "own-heap"]


# ---- what is left


def test_the_figures_are_kept_for_the_dashboard_and_a_run_for_debugging_is_not(desk: Desk) -> None:
    said = desk.eval("--brain", "rules")
    assert list(EvaluationFolder(desk.data / "evaluations").all()) == [said.figures]
    assert desk.eval("--brain", "rules", "--case", "own-heap").figures.score.cases == 1
    assert desk.eval("--brain", "rules", "--limit", "1").figures.score.cases == 1
    assert len(EvaluationFolder(desk.data / "evaluations").all()) == 1


def test_figures_can_be_printed_and_nothing_else_is_then(desk: Desk) -> None:
    said = desk.eval("--brain", "rules", "--json", "-")
    assert Evaluation.model_validate_json(said.out).score.cases == 2


def test_a_file_that_cannot_be_written_is_said_when_the_figures_were_shown(desk: Desk) -> None:
    said = desk.eval("--brain", "rules", "--json", str(desk.folder / "nowhere" / "figures.json"))
    assert (said.code, "cannot be written" in said.err, "root cause right" in said.out) == (2, True, True)


# ---- one's own incidents


def test_a_healed_incident_is_a_case_while_the_agent_runs(desk: Desk, house: ApiHouse) -> None:
    incident_id = house.healed()
    before = house.http.get(f"/incidents/{incident_id}").json()
    said = desk.eval("--from-store", "--brain", "rules")
    assert (said.code, said.err) == (0, "")
    (one,) = said.figures.answers
    assert (one.id, one.container, said.figures.origin) == (incident_id, "web", OWN_INCIDENTS)
    assert (one.expected.category, one.expected.action, one.expected.certainty) == ("oom", "RESTART", "verified")
    assert (one.marks.cause, one.marks.strict) == (True, True)
    assert house.http.get(f"/incidents/{incident_id}").json() == before
    assert house.http.get("/evaluations").json()["items"][0]["score"]["cases"] == 1


def test_a_model_is_asked_about_it_with_the_evidence_of_that_day(desk: Desk, house: ApiHouse) -> None:
    house.runtime.say("web", "ERROR the cache of the day does not fit")
    house.healed()
    house.runtime.say("web", "ERROR of another day")
    with openai_server(says(answer(action="NOOP"))) as server:
        said = desk.eval("--from-store", "--brain", "cloud", "--url", f"{server.url}/v1")
    asked = server.requests[0].body.decode()
    assert "the cache of the day" in asked
    assert "another day" not in asked
    assert (said.figures.score.root_cause.hits, said.figures.score.action.hits) == (1, 0)


def test_a_store_without_a_verified_outcome_is_no_set_of_cases(desk: Desk, house: ApiHouse) -> None:
    house.post()
    said = desk.eval("--from-store", "--brain", "rules")
    assert (said.code, "none with a verified outcome" in said.err) == (2, True)


def test_a_store_is_read_and_cannot_be_changed(house: ApiHouse) -> None:
    engine = read_only(f"sqlite:///{house.folder / 'aegis.db'}")
    with engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM events")
    engine.dispose()


def test_a_store_is_read_and_not_made(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "aegis.db"
    with pytest.raises(ConfigError, match="there is no store"):
        closed_incidents(f"sqlite:///{file}")
    assert not file.parent.exists()


# ---- the HTTP interface


def test_evaluations_are_shown_newest_first_with_what_went_wrong(tmp_path: Path, house: ApiHouse) -> None:
    assert house.http.get("/evaluations").json() == {"items": []}
    folder = EvaluationFolder(house.folder / "evaluations")
    for minute, brain in ((0, "rules"), (5, "ladder")):
        folder.add(_evaluation(minute, brain))
    (house.folder / "evaluations" / "99999999T000000Z-junk.json").write_text("{}")
    items = house.http.get("/evaluations").json()["items"]
    assert [one["brain"] for one in items] == ["ladder", "rules"]
    assert items[0]["score"]["wrong_act"]["hits"] == 1
    (wrong,) = items[0]["wrong"]
    assert (wrong["id"], wrong["analysis"]["action"], wrong["wrong_act"]) == ("harmful", "RESTART", True)
    assert wrong["expected"] == {"category": "dns_failure", "action": "NOOP", "allowed": ["NOOP"], "certainty": "high"}


def _evaluation(minute: int, brain: str) -> Evaluation:
    answers = (
        answered(question(Category.OOM, Action.RESTART, name="right"), said_of(Category.OOM, Action.RESTART)),
        answered(question(Category.DNS_FAILURE, Action.NOOP, name="harmful"), said_of(Category.OOM, Action.RESTART)),
    )
    return Evaluation(
        at=later(60 * minute), brain=brain, origin="cases", version="1", score=score(answers), answers=answers
    )
