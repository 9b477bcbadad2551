"""What the Runbook page makes of trust and reliability as the core shows them."""

from datetime import UTC, datetime

from aegis_dashboard import format as fmt
from aegis_dashboard.components.trust_table import MOST_ROWS, reliability_table, trust_table
from aegis_dashboard.learning_wire import ReliabilityReport, Trust, TrustReport
from tests.integration.stub_learning import reliability, trust

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CLOCK = fmt.Clock(NOON)


def test_everything_that_the_core_shows_is_read() -> None:
    shown = trust("quiet", NOON)
    read = TrustReport.model_validate(shown)
    assert read.rule
    assert [one.model_dump(mode="json").keys() for one in read.items] == [one.keys() for one in shown["items"]]
    sources = ReliabilityReport.model_validate(reliability("quiet")).sources
    assert [one.source for one in sources] == ["cloud", "rules"]
    assert all(one.brier is not None and one.calibration.bins and one.verified.of for one in sources)


def test_trust_is_shown_with_what_it_was_counted_from_and_where_it_is_a_reflex() -> None:
    table = trust_table(TrustReport.model_validate(trust("quiet", NOON)).items, CLOCK)
    assert "6 of 6" in table
    assert "2 of 3" in table
    assert table.count("by reflex") == 1
    assert "87 %" in table  # the mean of Beta(7, 1), a little aged


def test_a_long_list_is_cut_and_says_so() -> None:
    rows = [Trust(fault="crashed", image=f"app:{number}", action="RESTART") for number in range(MOST_ROWS + 3)]
    assert "and 3 older ones" in trust_table(rows, CLOCK)


def test_what_comes_from_outside_is_text() -> None:
    assert "<b>" not in trust_table(TrustReport.model_validate(trust("hostile", NOON)).items, CLOCK)


def test_reliability_tells_how_sure_a_source_was_and_how_often_it_helped() -> None:
    table = reliability_table(ReliabilityReport.model_validate(reliability("quiet")).sources)
    assert "2 of 3" in table
    assert "0.87 sure" in table
