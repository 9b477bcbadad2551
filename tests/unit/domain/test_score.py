"""The score of a brain, worked out by hand on small sets."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Tokens
from aegis_core.domain.score import Score, score

from .trials import answered, question, said

NOOP, RESTART, SCALE_UP, ROLLBACK = Action.NOOP, Action.RESTART, Action.SCALE_UP, Action.ROLLBACK
OOM, DNS, BUG, DISK = Category.OOM, Category.DNS_FAILURE, Category.APP_CRASH_BUG, Category.DISK_FULL


def hits(found: Score, *names: str) -> dict[str, tuple[int, int]]:
    return {name: (getattr(found, name).hits, getattr(found, name).of) for name in names}


def test_a_small_set_by_hand() -> None:
    found = score(
        [
            answered(question(OOM, SCALE_UP, name="right"), said(OOM, SCALE_UP, 0.9)),
            answered(question(DNS, NOOP, name="harmful"), said(BUG, RESTART, 0.8)),
            answered(question(BUG, ROLLBACK, RESTART, name="tolerable"), said(BUG, RESTART, 0.7)),
            answered(question(DISK, NOOP, name="unsure", certainty="medium"), said(DISK, RESTART, 0.4)),
            answered(question(DNS, NOOP, name="silent", certainty="medium"), None),
        ]
    )
    assert hits(found, "root_cause", "action", "action_acceptable", "wrong_act", "abstained", "acted") == {
        "root_cause": (3, 5),
        "action": (1, 5),
        "action_acceptable": (2, 5),
        "wrong_act": (1, 5),
        "abstained": (2, 5),
        "acted": (3, 5),
    }
    assert hits(found, "root_cause_when_sure") == {"root_cause_when_sure": (2, 3)}
    # oom 1; disk 1; app_crash_bug: TP 1, FP 1 → 2/3; dns 0
    assert found.root_cause_macro_f1 == pytest.approx((1 + 1 + 2 / 3 + 0) / 4, abs=1e-4)
    # SCALE_UP 1; NOOP 0; ROLLBACK 0; RESTART 0 (said, never right)
    assert found.action_macro_f1 == 0.25
    assert {action: (one.hits, one.of) for action, one in found.action_recall.items()} == {
        RESTART: (0, 0),
        SCALE_UP: (1, 1),
        ROLLBACK: (0, 1),
        NOOP: (0, 3),
    }
    assert {name: (part.cases, part.root_cause.hits) for name, part in found.by_certainty.items()} == {
        "high": (3, 2),
        "medium": (2, 1),
    }
    assert found.worst == ("harmful", "unsure", "silent")
    assert found.answered_by == {"rules test-1": 4, "(no answer)": 1}


def test_always_answering_noop_is_often_right_and_worth_nothing() -> None:
    actions = [(NOOP, ())] * 51 + [(RESTART, (NOOP,))] * 20 + [(ROLLBACK, (NOOP,))] * 12 + [(SCALE_UP, ())] * 17
    found = score([answered(question(OOM, action, *also), said(DNS, NOOP)) for action, also in actions])
    assert (found.action.share, found.action_acceptable.share, found.wrong_act.share) == (0.51, 0.83, 0.0)
    assert found.action_macro_f1 == pytest.approx(2 * 51 / (51 + 100) / 4, abs=1e-4)
    assert (found.root_cause.share, found.acted.hits) == (0.0, 0)


def test_saying_unknown_is_saying_nothing_where_that_is_not_right() -> None:
    found = score([answered(question(OOM, NOOP), said(Category.UNKNOWN, NOOP)), answered(question(DNS, NOOP), None)])
    assert (found.root_cause_macro_f1, found.abstained.hits) == (0.0, 2)
    right = score([answered(question(Category.UNKNOWN, NOOP), said(Category.UNKNOWN, NOOP))])
    assert right.root_cause_macro_f1 == 1.0


def test_the_surest_of_the_wrong_come_first_and_harm_before_error() -> None:
    found = score(
        [
            answered(question(OOM, NOOP, name="wrong, sure"), said(DNS, NOOP, 0.95)),
            answered(question(OOM, NOOP, name="harm, less sure"), said(OOM, RESTART, 0.72)),
            answered(question(OOM, NOOP, name="wrong, less sure"), said(DNS, NOOP, 0.5)),
            answered(question(OOM, NOOP, name="harm, sure"), said(OOM, RESTART, 0.9)),
            answered(question(OOM, NOOP, name="right"), said(OOM, NOOP, 0.9)),
        ]
    )
    assert found.worst == ("harm, sure", "harm, less sure", "wrong, sure", "wrong, less sure")


def test_confusion_counts_what_was_said_where() -> None:
    pairs = [(DNS, DNS), (DNS, OOM), (DNS, OOM), (OOM, OOM)]
    found = score([answered(question(right, NOOP), said(other, NOOP)) for right, other in pairs])
    assert [(one.right, one.said, one.count) for one in found.confusion] == [
        (OOM, OOM, 1),
        (DNS, OOM, 2),
        (DNS, DNS, 1),
    ]


def test_time_and_tokens_are_counted_where_they_are_known() -> None:
    counted = said(OOM, NOOP, tokens=Tokens(prompt=1200, completion=80))
    found = score([answered(question(OOM, NOOP), counted, 2.0), answered(question(OOM, NOOP), said(OOM, NOOP), 4.0)])
    assert found.seconds
    assert (found.seconds.median, found.seconds.p95) == (3.0, 4.0)
    assert found.prompt_tokens
    assert found.prompt_tokens.median == 1200
    assert found.answer_tokens
    assert found.answer_tokens.median == 80
    assert score([answered(question(OOM, NOOP), said(OOM, NOOP))]).prompt_tokens is None


def test_cases_of_which_only_the_harm_is_known_count_where_they_can() -> None:
    found = score(
        [
            answered(question(None, None, NOOP, SCALE_UP), said(OOM, RESTART)),
            answered(question(None, None, NOOP, SCALE_UP), said(DNS, NOOP)),
        ]
    )
    assert hits(found, "root_cause", "action", "action_acceptable", "wrong_act") == {
        "root_cause": (0, 0),
        "action": (0, 0),
        "action_acceptable": (1, 2),
        "wrong_act": (1, 2),
    }
    assert (found.calibration.ece, found.confusion, found.root_cause_macro_f1) == (None, (), None)


def test_a_score_survives_json() -> None:
    found = score([answered(question(OOM, NOOP), said(DNS, RESTART))])
    assert Score.model_validate_json(found.model_dump_json()) == found


def test_nothing_asked_is_no_score_and_no_error() -> None:
    assert score([]).root_cause.share is None
