"""What people have said about one target and about all of them."""

from aegis_core.domain.standing import Standing, combined, maintenance
from tests.examples import NOON, later

NOTHING = Standing()


def test_nothing_said_is_nothing_said() -> None:
    assert combined(NOTHING, NOTHING) == NOTHING
    assert maintenance(NOTHING, NOON) is None


def test_of_both_the_later_moment_holds() -> None:
    everywhere = Standing(maintenance_until=later(60), released_at=later(-5), by="ann", reason="move")
    own = Standing(maintenance_until=later(30), quarantined_until=later(90))
    both = combined(everywhere, own)
    assert (both.maintenance_until, both.quarantined_until, both.released_at) == (later(60), later(90), later(-5))
    assert both.said_by == "ann, move"


def test_what_is_said_of_the_target_itself_is_told_first() -> None:
    assert combined(Standing(by="ann"), Standing(by="bob", reason="upgrade")).said_by == "bob, upgrade"


def test_maintenance_says_when_to_look_again_and_who_has_said_so() -> None:
    until, reason = maintenance(Standing(maintenance_until=later(7200), by="ann"), NOON) or (NOON, "")
    assert until == later(300)
    assert reason == "Maintenance until 2026-11-20 14:00 UTC (ann): nothing is done."
    assert maintenance(Standing(maintenance_until=NOON), NOON) is None
