"""What differs between two looks at targets of one name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.definition import differences
from aegis_core.domain.target import Health, Limits, RunState, TargetState
from tests.examples import later, state

MIB = 2**20
NAMES = st.lists(st.sampled_from("ABCDEF"), unique=True).map(lambda names: tuple(sorted(names)))


def seen(**known: Any) -> TargetState:
    fields = {"image": "shop/web:1", "image_id": "sha256:1", "env_keys": ("A", "B"), "limits": Limits(cpus=0.5)}
    return state(**{**fields, **known})


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({"image": "shop/web:2", "image_id": "sha256:2"}, ["image changed from shop/web:1 to shop/web:2"]),
        ({"image_id": "sha256:2"}, ["image shop/web:1 is another build than before"]),
        ({"env_keys": ("A", "B", "C", "D")}, ["environment gained C, D"]),
        ({"env_keys": ("C",)}, ["environment gained C", "environment lost A, B"]),
        ({"env_keys": ()}, ["environment lost A, B"]),
        (
            {"limits": Limits(memory_bytes=64 * MIB, cpus=1.0)},
            ["limits changed from no memory limit, 0.5 CPUs to 64 MiB, 1 CPUs"],
        ),
        (
            {"image_id": "spec:2", "definition": "2", "replicas": 3},
            ["image shop/web:1 is run in another way than before", "replicas changed from None to 3"],
        ),
        ({"limits": Limits()}, ["limits changed from no memory limit, 0.5 CPUs to no memory limit, no CPU limit"]),
    ],
)
def test_what_is_different_is_told(new: dict[str, Any], told: list[str]) -> None:
    assert list(differences(seen(), seen(id="another", **new))) == told


@pytest.mark.parametrize(
    "new",
    [
        {},
        {"id": "another"},
        {"run": RunState.EXITED, "exit_code": 1, "finished_at": later(5), "restart_count": 9},
        {"health": Health.UNHEALTHY, "at": later(99), "started_at": later(50)},
    ],
)
def test_what_happens_to_a_target_is_no_change_of_what_it_is(new: dict[str, Any]) -> None:
    assert list(differences(seen(), seen(**new))) == []


def test_what_was_seen_from_afar_only_is_compared_with_nothing() -> None:
    afar = state(image="shop/web:1")
    assert list(differences(seen(), afar)) == list(differences(afar, seen())) == []


@given(NAMES, NAMES)
def test_only_names_are_told_and_never_one_that_is_in_both(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    told = " ".join(differences(seen(env_keys=old), seen(env_keys=new))).replace("environment", "")
    assert {letter for letter in told if letter.isupper()} == set(old) ^ set(new)
