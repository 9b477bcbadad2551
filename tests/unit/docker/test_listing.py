"""What the engine's short list says, and what it cannot."""

from datetime import UTC, datetime

import pytest

from aegis_core.adapters.docker.listing import (
    aside_name,
    back_name,
    from_listing,
    next_name,
    now_name,
    out_of_sight,
    settled,
)
from aegis_core.domain.target import Health, RunState, TargetRef

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def item(state: str, status: str, **changes: object) -> dict[str, object]:
    return {"Id": "a" * 64, "Names": ["/shop"], "Image": "shop:1", "State": state, "Status": status, **changes}


@pytest.mark.parametrize(
    ("state", "status", "health", "exit_code"),
    [
        ("running", "Up 3 seconds", Health.NONE, None),
        ("running", "Up 2 minutes (healthy)", Health.HEALTHY, None),
        ("running", "Up 2 minutes (unhealthy)", Health.UNHEALTHY, None),
        ("running", "Up 2 seconds (health: starting)", Health.STARTING, None),
        ("exited", "Exited (137) 5 minutes ago", Health.NONE, 137),
        ("restarting", "Restarting (1) 2 seconds ago", Health.NONE, 1),
        ("paused", "Up 2 hours (Paused)", Health.NONE, None),
    ],
)
def test_run_health_and_exit_code_are_read_from_the_list(
    state: str, status: str, health: Health, exit_code: int | None
) -> None:
    listed = from_listing(item(state, status), AT)

    assert (listed.run, listed.health, listed.exit_code) == (RunState(state), health, exit_code)


def test_the_own_name_is_the_one_that_is_no_link() -> None:
    assert from_listing(item("running", "Up", Names=["/web/db", "/db", "/api/db"]), AT).ref.name == "db"


def test_a_container_that_has_lost_its_name_is_listed_by_its_short_id() -> None:
    assert from_listing(item("dead", "Dead", Names=None), AT).ref.name == "a" * 12


@pytest.mark.parametrize("status", ["Up About a minute", "Up 2 hours (healthy)", "Exited (0) 3 days ago"])
def test_what_has_stood_for_a_minute_is_settled(status: str) -> None:
    assert settled(item("running", status))


@pytest.mark.parametrize(
    "status", ["Up 59 seconds", "Up Less than a second", "Up 5 minutes (unhealthy)", "Restarting (1) 1 second ago", ""]
)
def test_what_has_just_changed_or_is_ill_is_not_settled(status: str) -> None:
    assert not settled(item("running", status))


def test_what_is_kept_ready_or_aside_is_out_of_sight_and_nothing_else() -> None:
    target = TargetRef(name="shop.web-1", id="0123456789abcdef" * 4)
    for name in (next_name, now_name, aside_name, back_name):
        assert out_of_sight(name(target))
    for name in ("shop.web-1", "aegis-next", "web.aegis", "web.aegis-core", "web.aegis-0123456789ab-1", ".aegis-next"):
        assert not out_of_sight(name)
