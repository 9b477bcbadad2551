"""What people say about targets is kept, one row each, and combined with what they say about all of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from aegis_core.domain.standing import EVERYWHERE, Standing, in_maintenance, quarantined, released
from tests.examples import NOON, later

from .stores import Store, sqlite


def paused(until_seconds: float, by: str = "ann") -> Standing:
    return in_maintenance(Standing(), later(until_seconds), by, "a new disk")


def test_nothing_is_said_of_a_target_that_nobody_knows(store: Store) -> None:
    assert store.standings.of("web") == Standing()
    assert store.standings.all() == {}


def test_what_is_said_of_all_holds_for_each_and_the_later_moment_counts(store: Store) -> None:
    store.standings.say(EVERYWHERE, lambda _: paused(60), NOON)
    assert store.standings.of("web").maintenance_until == later(60)
    store.standings.say("web", lambda _: paused(600, by="bob"), NOON)
    assert (store.standings.of("web").maintenance_until, store.standings.of("web").by) == (later(600), "bob")
    assert store.standings.of("db").maintenance_until == later(60)
    assert set(store.standings.all()) == {EVERYWHERE, "web"}


def test_saying_one_thing_leaves_the_others_as_they_are(store: Store) -> None:
    store.standings.say("web", lambda _: paused(60), NOON)
    store.standings.say("web", lambda now: quarantined(now, later(90), "bob", "it flaps"), NOON)
    said = store.standings.say("web", lambda now: in_maintenance(now, None, "ann", "done"), NOON)
    assert (said.maintenance_until, said.quarantined_until) == (None, later(90))
    freed = store.standings.say("web", lambda now: released(now, later(5), "ann", ""), NOON)
    assert (freed.quarantined_until, freed.released_at) == (None, later(5))
    assert store.standings.of("web") == freed


def test_what_two_people_say_at_once_is_both_kept(store: Store) -> None:
    def longer(now: Standing) -> Standing:
        return in_maintenance(now, (now.maintenance_until or NOON) + timedelta(minutes=1), "ann", "")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.standings.say("web", longer, NOON), range(40)))
    assert store.standings.of("web").maintenance_until == later(40 * 60)


def test_what_was_said_survives_the_agent(tmp_path: Path) -> None:
    first = sqlite(tmp_path)
    first.standings.say("web", lambda _: paused(60), NOON)
    first.close()
    second = sqlite(tmp_path)
    assert second.standings.of("web") == paused(60)
    second.close()
