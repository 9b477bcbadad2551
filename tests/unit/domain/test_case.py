"""Recorded cases: read strictly where it counts, and made evidence by the same way as an incident."""

from typing import Any

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.case import STATE_MISSING, case_of, evidence_of
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.evidence import lines_of
from aegis_core.domain.gathering import LOG_LINES, MOST_TEMPLATES, SILENT, TAIL_LINES
from aegis_core.domain.signal import Fault
from aegis_core.errors import CaseInvalid, ConfigError
from tests.examples import NOON

DOCUMENT = {
    "id": "own-1",
    "container": "shop",
    "log": "12:00:01 listening\n12:00:02 ERROR disk full, password=hunter2secret",
    "label": "disk_full",
    "sensible_action": "NOOP",
    "also_acceptable": ["ROLLBACK"],
    "label_certainty": "high",
    "source": {"url": "elsewhere"},
}


def document(**changes: Any) -> dict[str, Any]:
    return {**DOCUMENT, **changes}


def test_a_case_is_read_and_what_it_says_besides_is_passed_over() -> None:
    case = case_of(document(), "own-1.json")
    assert (case.label, case.sensible_action) == (Category.DISK_FULL, Action.NOOP)
    assert case.also_acceptable == (Action.ROLLBACK,)


def test_how_words_are_spelt_does_not_matter() -> None:
    case = case_of(document(label=" Disk_Full ", sensible_action="noop", also_acceptable=["restart"]), "x")
    assert (case.label, case.sensible_action, case.also_acceptable) == (
        Category.DISK_FULL,
        Action.NOOP,
        (Action.RESTART,),
    )
    assert case_of(document(log=["one", "two"], also_acceptable=None), "x").log == "one\ntwo"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"label": "gremlins"}, "'label'"),
        ({"sensible_action": "REBOOT"}, "'sensible_action'"),
        ({"also_acceptable": ["NOOP", "PRAY"]}, "'also_acceptable.1'"),
        ({"log": 7}, "'log'"),
        ({"id": ""}, "'id'"),
    ],
)
def test_what_is_wrong_is_told_with_its_file_and_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(CaseInvalid) as caught:
        case_of(document(**changes), "folder/own-1.json")
    assert str(caught.value).startswith(f"folder/own-1.json: {told}")
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize("key", ["id", "container", "log", "label", "sensible_action"])
def test_what_is_missing_is_told(key: str) -> None:
    lacking = document()
    del lacking[key]
    with pytest.raises(CaseInvalid, match=f"'{key}' is missing"):
        case_of(lacking, "x.json")


@pytest.mark.parametrize("no_case", [[], "text", None, 3])
def test_what_is_no_object_is_no_case(no_case: Any) -> None:
    with pytest.raises(CaseInvalid, match="JSON object"):
        case_of(no_case, "x.json")


# ---- evidence


def test_the_evidence_is_masked_and_folded_as_that_of_an_incident() -> None:
    log = "\n".join([*(f"GET /orders/{number} 200" for number in range(50)), DOCUMENT["log"]])
    evidence = evidence_of(case_of(document(log=log), "x"), NOON)
    assert evidence.templates[0].example == "12:00:02 ERROR disk full, password=***"
    assert (evidence.templates[1].count, len(evidence.tail)) == (50, TAIL_LINES)
    assert "hunter2secret" not in evidence.model_dump_json()


def test_nothing_is_made_up_about_a_state_that_nobody_recorded() -> None:
    evidence = evidence_of(case_of(document(), "x"), NOON)
    assert (evidence.fault, evidence.target, evidence.name) == (Fault.CUSTOM, None, "shop")
    assert evidence.missing == (STATE_MISSING,)
    assert evidence_of(case_of(document(log=" \n"), "x"), NOON).missing == (STATE_MISSING, SILENT)


def test_the_answer_is_not_in_the_evidence() -> None:
    told = evidence_of(case_of(document(why="disk_full: the disk is full"), "x"), NOON).model_dump_json()
    assert "disk_full" not in told
    assert "own-1" not in told


def test_metrics_can_be_cited_as_figures_and_in_words() -> None:
    rows = [{"CpuUsageRate(%)": value} for value in (1.0, 50.0, 99.0)]
    texts = [line.text for line in lines_of(evidence_of(case_of(document(metrics={"rows": rows}), "x"), NOON))]
    assert "reported metric: cpu_percent = 99" in texts
    assert "course: CPU went from 1 % to 99 % over 3 samples (lowest 1, highest 99 %)" in texts


def test_a_talkative_case_fills_no_more_than_its_share() -> None:
    lines = [f"{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10 % 10]} line" for number in range(3 * LOG_LINES)]
    evidence = evidence_of(case_of(document(log=["first of all", *lines]), "x"), NOON)
    assert (len(evidence.templates), len(evidence.tail)) == (MOST_TEMPLATES, TAIL_LINES)
    assert not any(one.example == "first of all" for one in evidence.templates)


def test_what_aegis_gathered_itself_is_the_evidence_and_not_the_log_alone() -> None:
    gathered = {"fault": "crashed", "severity": "critical", "at": NOON.isoformat(), "tail": ["exit"]}
    evidence = evidence_of(case_of(document(gathered=gathered), "x"), NOON)
    assert (evidence.fault, evidence.tail, evidence.missing) == (Fault.CRASHED, ("exit",), ())


def test_what_somebody_else_calls_gathered_is_passed_over() -> None:
    for other in ("by hand", ["a"], {"by": "ann"}, None):
        assert evidence_of(case_of(document(gathered=other), "x"), NOON).fault is Fault.CUSTOM
