"""Containers that are broken for real: the rules name the root cause of each, and what is to be done, and nothing else.

All of them break at once, under one real agent that knows them from Docker alone and is told to do nothing.
"""

from collections.abc import Iterator

import pytest

from .broken_for_real import BROKEN, Broken
from .broken_ward import BrokenWard, broken_ward

pytestmark = [pytest.mark.engine, pytest.mark.alone]  # while others make and remove networks, names do not resolve


@pytest.fixture(scope="module")
def ward(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokenWard]:
    with broken_ward(BROKEN, tmp_path_factory.mktemp("agent")) as ward:
        yield ward


@pytest.mark.parametrize("broken", BROKEN, ids=[one.name for one in BROKEN])
def test_the_rules_name_root_cause_and_action(ward: BrokenWard, broken: Broken) -> None:
    seen = ward.seen(broken)
    said = seen.diagnosis
    assert said["source"] == "rules"
    assert (said["category"], said["action"]) == (broken.category, broken.action), (said, seen.evidence)
