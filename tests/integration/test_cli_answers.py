"""`aegis approve`, `reject`, `comment` and `postmortem` against an agent that serves."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from aegis_core.cli import main
from tests import examples as make

from .api_house import ApiHouse, served


class Said(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data", token="of-the-test")
    opened.http.headers["Authorization"] = "Bearer of-the-test"
    yield opened
    opened.close()


@pytest.fixture
def aegis(
    house: ApiHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Run a command in this very process, with the settings of whoever runs the house."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AEGIS_")]:
        monkeypatch.delenv(name)
    with served(house.agent) as port:
        monkeypatch.setenv("AEGIS_PORT", str(port))
        monkeypatch.setenv("AEGIS_TOKEN", "of-the-test")

        def run(*words: str) -> Said:
            monkeypatch.setattr(sys, "argv", ["aegis", *words])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            return Said(int(ended.value.code or 0), *capsys.readouterr())

        yield run


def test_approving_shows_what_is_asked_and_says_who_did(house: ApiHouse, aegis: Command) -> None:
    waiting = house.waits()
    said = aegis("approve", waiting, "--comment", "go on")
    assert said.code == 0, said.err
    for words in ("ROLLBACK of web?", "A cache grows without bound.", "It needs a person.", "is approved", "DECIDED"):
        assert words in said.out
    approval = house.shown(waiting)["approval"]
    assert (approval["by"], approval["via"], approval["comment"]) == (getpass.getuser(), "cli", "go on")


def test_refusing_is_as_easy_and_may_be_for_somebody_else(house: ApiHouse, aegis: Command) -> None:
    waiting = house.waits()
    said = aegis("reject", waiting, "--by", "bob")
    assert said.code == 0
    assert "is refused" in said.out
    assert house.shown(waiting)["approval"]["by"] == "bob"


def test_an_answer_that_does_not_count_is_one_sentence_and_a_failure(house: ApiHouse, aegis: Command) -> None:
    waiting = house.waits()
    aegis("approve", waiting, "--by", "ann")
    said = aegis("reject", waiting)
    assert said.code == 1
    assert "ann has approved it already" in said.err
    assert "ROLLBACK of web?" not in said.out


def test_only_the_question_that_was_seen_is_answered(house: ApiHouse, aegis: Command) -> None:
    """A notice names the version; a newer question is not answered by its command."""
    waiting = house.waits()
    seen = house.shown(waiting)["version"]
    house.happens(waiting, make.rested(make.later(1)), make.gathered(), make.asked(make.approval(shown=None)))
    assert "newer question" in aegis("approve", waiting, "--seen", str(seen)).err
    assert aegis("approve", waiting).code == 0


def test_a_comment_is_said_to_all(house: ApiHouse, aegis: Command) -> None:
    waiting = house.waits()
    assert aegis("comment", waiting, "I am on it.", "--by", "ann").out == "Noted.\n"
    shown = aegis("incidents", "show", waiting).out
    for words in ("Comments", "ann", "I am on it.", "Approval", "waits for a yes until"):
        assert words in shown


def test_an_empty_comment_is_refused_with_the_reason(house: ApiHouse, aegis: Command) -> None:
    said = aegis("comment", house.waits(), " ")
    assert said.code == 1
    assert "comment" in said.err


def test_the_votes_stand_in_the_incident_and_in_the_question(house: ApiHouse, aegis: Command) -> None:
    waiting = house.waits()
    house.happens(waiting, make.opined(confidence=0.55))
    assert "diagnosis: RESTART, 0.55 sure. It hangs." in aegis("incidents", "show", waiting).out
    assert "diagnosis: RESTART, 0.55 sure. It hangs." in aegis("approve", waiting).out


def test_the_postmortem_is_markdown_or_json(house: ApiHouse, aegis: Command) -> None:
    waiting = house.waits()
    house.happens(waiting, make.commented("\x1b[31mred"))
    said = aegis("postmortem", waiting)
    assert said.code == 0, said.err
    assert said.out.startswith("# Postmortem: memory pressure on web\n")
    assert "\x1b" not in said.out
    assert '"written_by": ""' in aegis("postmortem", waiting, "--json").out


def test_without_the_token_nothing_is_said(house: ApiHouse, aegis: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = house.waits()
    monkeypatch.delenv("AEGIS_TOKEN")
    said = aegis("approve", waiting)
    assert said.code == 1
    assert "bearer token" in said.err
    assert house.shown(waiting)["status"] == "AWAITING_APPROVAL"
