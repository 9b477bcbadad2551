"""What the Brain page makes of evaluations as the core shows them."""

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from aegis_dashboard import format as fmt
from aegis_dashboard.brain_wire import Bin, Confusion, Evaluation, Expected, Rate
from aegis_dashboard.components import brain_charts
from aegis_dashboard.components.brain_figures import asked_of, history, interval, right, score_tiles, wrong_list
from tests.integration.stub_brain import RUNS, evaluations

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CLOCK = fmt.Clock(NOON)
SHOWN: list[dict[str, Any]] = evaluations(NOON, "<b>the cause</b>")
READ = TypeAdapter(tuple[Evaluation, ...]).validate_python(SHOWN)


def test_everything_that_the_core_shows_of_a_score_is_read() -> None:
    for shown, read in zip(SHOWN, READ, strict=True):
        for name, rate in read.score.action_recall.items():
            assert rate.model_dump() == shown["score"]["action_recall"][name]
        for name in ("root_cause", "action", "action_acceptable", "wrong_act", "acted", "abstained"):
            assert getattr(read.score, name).model_dump() == shown["score"][name]
            assert getattr(read.score, name).of == shown["score"]["cases"] > 0
        assert read.score.calibration.bins
        assert read.score.confusion
        assert read.score.seconds
        assert read.wrong
    assert [one.own for one in READ] == [False, False, False, True]


def test_the_tiles_show_shares_with_what_they_are_counted_from() -> None:
    rules = READ[1].score
    tiles = score_tiles(READ[1])
    for rate in (rules.root_cause, rules.action, rules.wrong_act, rules.abstained):
        assert fmt.share(rate.share) in tiles
        assert f"{rate.hits} of 48" in tiles


def test_a_small_set_tells_its_interval() -> None:
    assert interval(Rate(hits=19, of=45, share=0.4222, low=0.2897, high=0.5668)) == "19 of 45 (29–57 %)"
    assert interval(Rate()) == "nothing to count"


def test_what_was_right_is_told_also_where_only_the_harm_is_known() -> None:
    assert right(Expected(category="oom", action="SCALE_UP", allowed=["SCALE_UP", "RESTART"])) == (
        "OOM: SCALE_UP, or RESTART"
    )
    assert right(Expected(allowed=["NOOP", "ROLLBACK", "SCALE_UP"])) == "not RESTART"


def test_every_evaluation_has_its_row_and_ones_own_are_marked() -> None:
    table = history(READ, CLOCK)
    assert table.count("<tr>") == len(RUNS) + 1
    assert table.count("ag-chip") == 1


def test_what_a_model_said_is_shown_as_text() -> None:
    told = wrong_list(READ[2].wrong)
    assert "&lt;b&gt;the cause&lt;/b&gt;" in told
    assert "<b>" not in told


def test_who_was_asked_is_told_with_what_it_cost() -> None:
    told = asked_of(READ[0], CLOCK)
    for piece in ("48 in cases", "diagnose_v2", "5.2 s", "cloud small 48×"):
        assert piece in told
    assert "tokens" not in asked_of(READ[1], CLOCK)


def test_a_core_that_shows_less_is_shown_as_far_as_it_goes() -> None:
    bare = Evaluation.model_validate({"at": "2026-11-20T12:00:00Z"})
    assert "nothing to count" in score_tiles(bare)
    assert history([bare], CLOCK)
    assert asked_of(bare, CLOCK)


def test_each_pair_is_shown_with_its_share_of_what_was_right() -> None:
    rows = [Confusion(right="oom", said="oom", count=3), Confusion(right="oom", said="dns_failure", count=1)]
    assert [(one["said"], one["share"], one["agreed"]) for one in brain_charts.confusion_records(rows)] == [
        ("OOM", 0.75, True),
        ("DNS failure", 0.25, False),
    ]


def test_a_band_of_confidence_becomes_a_dot() -> None:
    bins = [Bin(low=0.8, high=0.9, count=17, confidence=0.84, right=0.94)]
    assert brain_charts.reliability_records(bins) == [
        {"sure": 0.84, "right": 0.94, "answers": 17, "band": "0.8 to 0.9"}
    ]
    chart = brain_charts.reliability(READ[0].score.calibration.bins).to_dict()
    assert len(chart["layer"]) == 3
    assert brain_charts.confusion(READ[0].score.confusion).to_dict()["height"] > 8 * brain_charts.ROW
