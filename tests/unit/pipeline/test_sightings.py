"""What has been seen of every target: series, secrets, changes of definition, and many who ask at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aegis_core.domain.target import Limits, RunState, TargetState, Usage
from aegis_core.pipeline.sightings import CHANGED_LATELY, CHANGES, MOST_GONE, SAMPLES, Sightings
from tests import examples as make
from tests.examples import later

WEB = "web"


def seen(**known: Any) -> TargetState:
    fields = {"image": "shop/web:1", "image_id": "sha256:1", "started_at": later(0), "at": later(0)}
    return make.state(**{**fields, **known})


def sample(seconds: float, memory: int = 1) -> Usage:
    return Usage(at=later(seconds), memory_bytes=memory)


def told(sightings: Sightings, seconds: float = 60.0) -> list[str]:
    """How the definition has changed, without the times."""
    return [text.partition(" ")[2] for text in sightings.changed_lately(WEB, later(seconds))]


# ---- samples


def test_samples_before_the_last_start_are_no_part_of_the_series_and_are_kept_for_people() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    for seconds in (2, 4):
        sightings.measured(WEB, sample(seconds))
    sightings.saw([seen(started_at=later(5))], {})
    sightings.measured(WEB, sample(6))
    assert [one.at for one in sightings.series(WEB)] == [later(6)]
    ((_, everything),) = sightings.all()
    assert [one.at for one in everything] == [later(2), later(4), later(6)]


def test_the_series_goes_on_under_a_new_target_of_the_same_name_and_only_its_own_part_counts() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    sightings.measured(WEB, sample(2))
    sightings.saw([seen(id="another", started_at=later(10))], {})
    sightings.measured(WEB, sample(12))
    assert [one.at for one in sightings.series(WEB)] == [later(12)]


def test_a_sample_that_is_given_again_counts_once() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    for seconds in (2, 2, 4, 4, 4):
        sightings.measured(WEB, sample(seconds))
    assert [one.at for one in sightings.series(WEB)] == [later(2), later(4)]


def test_a_clock_that_was_set_back_does_not_stop_the_series() -> None:
    sightings = Sightings()
    sightings.saw([seen(started_at=later(-9000))], {})
    for seconds in (0, -3600, -3598):
        sightings.measured(WEB, sample(seconds))
    assert len(sightings.series(WEB)) == 3


def test_the_series_keeps_the_newest_samples_only() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    for seconds in range(SAMPLES + 5):
        sightings.measured(WEB, sample(seconds))
    series = sightings.series(WEB)
    assert (len(series), series[0].at) == (SAMPLES, later(5))


def test_nothing_is_known_of_what_was_never_seen() -> None:
    sightings = Sightings()
    sightings.measured(WEB, sample(1))
    assert not sightings.series(WEB)
    assert not sightings.secrets_of(WEB)
    assert not sightings.changed_lately(WEB, later(0))
    assert not sightings.all()


def test_the_newest_sample_is_part_of_the_state_as_long_as_it_runs() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    sightings.measured(WEB, sample(2, memory=7))
    sightings.saw([seen(at=later(3))], {})
    ((state, _),) = sightings.all()
    assert state.usage == sample(2, memory=7)
    sightings.saw([seen(at=later(4), run=RunState.EXITED)], {})
    ((state, _),) = sightings.all()
    assert state.usage is None


# ---- secrets


def test_that_there_are_no_secrets_is_known_too() -> None:
    sightings = Sightings()
    sightings.saw_one(seen())
    assert not sightings.knows_secrets(seen())
    sightings.saw([seen()], {WEB: frozenset()})
    assert sightings.knows_secrets(seen())


def test_secrets_stay_with_the_very_target_that_was_asked() -> None:
    sightings = Sightings()
    sightings.saw_one(seen(), frozenset({"s3cr3t"}))
    sightings.saw_one(seen(at=later(1)))
    assert sightings.secrets_of(WEB) == {"s3cr3t"}
    sightings.saw_one(seen(id="another"))
    assert sightings.secrets_of(WEB) == frozenset()
    assert not sightings.knows_secrets(seen(id="another"))


# ---- how its definition has changed


def test_a_deploy_is_told_with_what_is_different() -> None:
    sightings = Sightings()
    sightings.saw([seen(env_keys=("A",))], {})
    sightings.saw([seen(id="another", at=later(5), image="shop/web:2", image_id="sha256:2", env_keys=("A", "B"))], {})
    assert sightings.changed_lately(WEB, later(60)) == [
        "12:00:05 image changed from shop/web:1 to shop/web:2",
        "12:00:05 environment gained B",
    ]


def test_a_target_that_was_away_for_a_while_is_compared_with_what_it_was() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    sightings.measured(WEB, sample(2))
    sightings.saw([], {})
    assert not sightings.all()
    assert not sightings.series(WEB)
    sightings.saw([seen(id="another", limits=Limits(memory_bytes=2**26), started_at=later(1))], {})
    assert told(sightings) == ["limits changed from no memory limit, no CPU limit to 64 MiB, no CPU limit"]
    assert len(sightings.series(WEB)) == 1


def test_a_target_that_comes_back_and_is_looked_at_before_the_list_is_compared_as_well() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    sightings.saw([], {})
    sightings.saw_one(seen(id="another", image_id="sha256:2"))
    assert told(sightings) == ["image shop/web:1 is another build than before"]


def test_a_restart_and_a_look_from_afar_are_no_changes() -> None:
    """The list alone tells neither limits nor environment: that is not "lost"."""
    sightings = Sightings()
    whole = seen(env_keys=("A",), limits=Limits(memory_bytes=2**26))
    sightings.saw([whole], {})
    sightings.saw([whole.model_copy(update={"started_at": later(9), "restart_count": 1})], {})
    sightings.saw([make.state(image="shop/web:1", started_at=None)], {})
    sightings.saw([whole], {})
    assert told(sightings) == []


def test_changes_are_told_for_a_day() -> None:
    sightings = Sightings()
    sightings.saw([seen()], {})
    sightings.saw([seen(image_id="sha256:2")], {})
    day = CHANGED_LATELY.total_seconds()
    assert len(told(sightings, day - 1)) == 1
    assert told(sightings, day) == []


def test_only_the_newest_changes_are_kept() -> None:
    sightings = Sightings()
    for number in range(CHANGES + 5):
        sightings.saw([seen(image=f"shop/web:{number}")], {})
    assert told(sightings)[0] == "image changed from shop/web:4 to shop/web:5"
    assert len(told(sightings)) == CHANGES


def test_of_targets_that_are_gone_the_latest_are_remembered() -> None:
    sightings = Sightings()
    for number in range(MOST_GONE + 50):
        sightings.saw([seen(name=f"job-{number}", id=str(number))], {})
    assert len(sightings._gone) == MOST_GONE
    assert "job-0" not in sightings._gone


# ---- many at once


def test_who_reads_while_it_is_written_sees_whole_things() -> None:
    """The API and the stages read while the watcher writes."""
    sightings = Sightings()
    targets = [seen(name=f"web-{number}", id=str(number)) for number in range(20)]
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            for state, series in sightings.all():
                assert list(series) == sorted(series, key=lambda one: one.at)
                sightings.series(state.ref.name)
                sightings.changed_lately(state.ref.name, later(0))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for seconds in range(60):
            sightings.saw(targets if seconds % 3 else targets[:10], {})
            for target in targets:
                sightings.measured(target.ref.name, sample(seconds))
        over.set()
        for reader in readers:
            reader.result()


def test_hours_are_kept_one_sample_a_minute_and_not_from_before_the_last_start() -> None:
    sightings = Sightings()
    state = make.state(started_at=make.NOON)
    sightings.saw_one(state)
    for seconds in range(0, 601, 10):
        sightings.measured("web", Usage(at=make.later(seconds), memory_bytes=seconds))
    assert [memory for _, memory in sightings.hours("web")] == list(range(0, 601, 60))
    sightings.saw_one(state.model_copy(update={"started_at": make.later(300)}))
    assert [memory for _, memory in sightings.hours("web")] == list(range(300, 601, 60))
    assert sightings.hours("nobody") == ()


# ---- services

TASK = "shop.2.v8z0p3m4q5r6s7t8u9w0x1y2z"


def test_the_container_of_a_task_means_its_service_once_that_has_been_seen() -> None:
    sightings = Sightings()
    assert sightings.target_of(TASK) == TASK
    sightings.saw([seen(name="shop", definition="1f")], {})
    assert sightings.target_of(TASK) == "shop"
    assert sightings.target_of("shop") == "shop"


def test_a_container_that_is_only_named_like_a_task_means_itself() -> None:
    sightings = Sightings()
    sightings.saw([seen(name="shop")], {})
    assert sightings.target_of(TASK) == TASK, "shop is no service"
    sightings.saw([seen(name="shop", definition="1f"), seen(name=TASK)], {})
    assert sightings.target_of(TASK) == TASK, "there is a target of this very name"
