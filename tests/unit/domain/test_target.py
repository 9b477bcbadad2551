"""Who opted in, and who is part of Aegis."""

from collections.abc import Mapping

import pytest

from aegis_core.domain.target import RunState, Watch, is_own, opted_in
from tests.examples import state


@pytest.mark.parametrize("word", ["true", "TRUE", " True ", "1", "yes", "on"])
def test_a_yes_in_any_spelling_opts_in(word: str) -> None:
    assert opted_in({"aegis.enable": word}, Watch.LABELED)


@pytest.mark.parametrize("word", ["false", "0", "no", "off", "maybe"])
def test_anything_else_opts_out_whatever_is_watched(word: str) -> None:
    for watch in Watch:
        assert not opted_in({"aegis.enable": word, "autoheal": "true"}, watch)


def test_autoheals_label_counts() -> None:
    assert opted_in({"autoheal": "true"}, Watch.LABELED)
    assert not opted_in({"autoheal": "false"}, Watch.LABELED)


@pytest.mark.parametrize("labels", [{}, {"aegis.enable": ""}, {"aegis.enable": "  "}])
def test_without_a_word_it_depends_on_what_is_watched(labels: Mapping[str, str]) -> None:
    assert not opted_in(labels, Watch.LABELED)
    assert opted_in(labels, Watch.ALL)


def test_aegis_knows_itself_by_label_name_and_hostname() -> None:
    long_id = "0123456789abcdef" * 4
    assert is_own(state(labels={"aegis.self": "true"}), frozenset())
    assert is_own(state("aegis-core"), frozenset({"aegis-core"}))
    assert is_own(state("anything", id=long_id), frozenset({"0123456789ab"}))


def test_another_target_is_not_taken_for_aegis() -> None:
    known = frozenset({"aegis-core", "0123456789ab", ""})
    assert not is_own(state("aegis-core-2", id="fedcba9876543210" * 4, labels={"aegis.self": "false"}), known)
    assert not is_own(state("web", id=""), known)
    assert not is_own(state("web", id="short"), frozenset({"short"}))


def test_only_a_running_target_runs() -> None:
    assert [run for run in RunState if state(run=run).running] == [RunState.RUNNING]
