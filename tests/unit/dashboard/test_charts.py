"""What the charts of the Impact page are drawn from."""

from datetime import UTC, datetime, timedelta

from aegis_dashboard.components.charts import cumulative, fault_counts, fault_means
from aegis_dashboard.format import zone_of
from aegis_dashboard.wire import ImpactRow

OPENED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def row(
    name: str, hours: float, status: str = "RESOLVED", saved: float | None = None, seconds: float = 20
) -> ImpactRow:
    opened = OPENED + timedelta(hours=hours)
    return ImpactRow(
        incident_id=name,
        fault="memory_pressure",
        status=status,
        opened_at=opened,
        closed_at=opened + timedelta(seconds=seconds),
        seconds=seconds,
        attempts=1,
        saved_dollars=saved,
    )


def test_the_money_adds_up_in_the_order_in_which_incidents_ended() -> None:
    rows = [row("late", 5, saved=30.0), row("early", 1, saved=10.0), row("failed", 3, "FAILED")]
    assert [(one["incident"], one["saved"]) for one in cumulative(rows, UTC)] == [("early", 10.0), ("late", 40.0)]


def test_the_axis_shows_the_viewers_wall_clock() -> None:
    assert cumulative([row("a", 0, saved=1.0)], zone_of("Europe/Berlin"))[0]["at"] == "2026-11-20T13:00:20"


def test_only_what_was_healed_by_an_action_is_a_time_to_heal() -> None:
    by_itself = row("d", 3, seconds=9_000).model_copy(update={"attempts": 0})
    rows = [row("a", 0, seconds=10), row("b", 1, seconds=30), row("c", 2, "FAILED", seconds=5_000), by_itself]
    counted = {(one["outcome"], one["count"]) for one in fault_counts(rows)}
    assert counted == {("healed", 2), ("failed", 1), ("recovered", 1)}
    assert fault_means(rows) == [{"fault": "Memory pressure", "seconds": 20.0, "took": "20 s", "incidents": 2}]
