"""What Aegis relies on of the memory of releases, in every store and in the fake."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.releases import SqlReleases
from aegis_core.domain.release import Release
from aegis_core.ports import Releases
from aegis_core.testing import MemoryReleases
from tests import examples as make


@pytest.fixture(params=["memory", "sqlite"])
def releases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Releases]:
    if request.param == "memory":
        yield MemoryReleases()
        return
    with Database(f"sqlite:///{tmp_path / 'aegis.db'}") as database:
        yield SqlReleases(database)


def release(image_id: str, seconds: float, target: str = "web", image: str = "shop:1") -> Release:
    return Release(target=target, image_id=image_id, image=image, verified_at=make.NOON + timedelta(seconds=seconds))


def test_of_a_target_that_nothing_is_known_of_there_are_none(releases: Releases) -> None:
    releases.note(release("one", 0, target="other"))
    assert list(releases.of("web")) == []


def test_the_one_that_was_verified_last_comes_first(releases: Releases) -> None:
    noted = [release("one", 1), release("three", 3), release("two", 2)]
    for one in noted:
        releases.note(one)
    assert list(releases.of("web")) == [noted[1], noted[2], noted[0]]


def test_what_is_seen_again_is_known_once_by_its_newer_name_and_moment(releases: Releases) -> None:
    releases.note(release("one", 1))
    again = release("one", 2, image="shop:stable")
    releases.note(again)
    assert list(releases.of("web")) == [again]


def test_what_is_forgotten_is_not_gone_back_to(releases: Releases) -> None:
    releases.note(release("one", 1))
    releases.note(release("one", 1, target="other"))
    releases.forget("web", "one")
    releases.forget("web", "never noted")
    assert list(releases.of("web")) == []
    assert list(releases.of("other"))
