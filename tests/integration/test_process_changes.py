"""What the embedded process runtime tells of real processes that people, files and machines do things to."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomli_w

from aegis_core.adapters.process.runtime import ProcessRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.change import ChangeKind, Relation
from aegis_core.domain.target import TargetState
from aegis_core.errors import RuntimeUnavailable
from tests.listening import Listening

NAME = "shop"


def describe(folder: Path, **depends_on: list[str]) -> None:
    """Write a process file with these targets, each with those that it depends on."""
    tables = {
        name: {"command": [str(folder / "sleeper"), "600"], "depends_on": others, "stop_timeout": 1}
        for name, others in depends_on.items()
    }
    (folder / "processes.toml").write_text(tomli_w.dumps({"targets": tables}), encoding="utf-8")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[ProcessRuntime]:
    sleep = shutil.which("sleep")
    assert sleep
    shutil.copy(sleep, tmp_path / "sleeper")
    describe(tmp_path, shop=[])
    runtime = ProcessRuntime(tmp_path / "processes.toml", tmp_path / "state", lambda: datetime.now(UTC))
    runtime.start()
    yield runtime
    runtime.close()


def seen(runtime: ProcessRuntime, name: str = NAME) -> TargetState:
    state = runtime.find(name)
    assert state
    return state


def test_a_pause_is_told_like_a_stop_and_its_end_like_a_start(runtime: ProcessRuntime, tmp_path: Path) -> None:
    since = seen(runtime).at
    pid = int(json.loads((tmp_path / "state" / f"{NAME}.json").read_text())["pid"])
    with Listening(runtime) as listening:
        os.kill(pid, signal.SIGSTOP)
        listening.wait_for(ChangeKind.STOPPED, NAME)
        os.kill(pid, signal.SIGCONT)
        listening.wait_for(ChangeKind.STARTED, NAME)

    told = [line.split(" ", 1)[1] for line in runtime.happenings(seen(runtime).ref, since)]
    assert told == ["pause (SIGSTOP)", "unpause (SIGCONT)"]


def test_a_restart_is_told_as_a_stop_an_end_and_one_start(runtime: ProcessRuntime) -> None:
    with Listening(runtime) as listening:
        runtime.apply(Action.RESTART, seen(runtime))
        listening.wait_for(ChangeKind.STARTED, NAME)

    assert listening.kinds(NAME) == [ChangeKind.STOPPED, ChangeKind.DIED, ChangeKind.STARTED]


def test_a_command_that_cannot_be_started_any_more_is_told_as_an_end(runtime: ProcessRuntime, tmp_path: Path) -> None:
    with Listening(runtime) as listening:
        (tmp_path / "processes.toml").write_text(
            tomli_w.dumps({"targets": {NAME: {"command": ["sleep", "600"], "cwd": "nowhere"}}}), encoding="utf-8"
        )
        runtime.reload()
        died = listening.wait_for(ChangeKind.DIED, NAME, times=2)

        assert died.exit_code == 127
        with pytest.raises(RuntimeUnavailable):
            runtime.apply(Action.RESTART, seen(runtime))
        listening.wait_for(ChangeKind.DIED, NAME, times=3)


def test_who_depends_on_whom_is_read_from_the_file(runtime: ProcessRuntime, tmp_path: Path) -> None:
    describe(tmp_path, shop=["db", "cache"], db=[], cache=["db"], mail=["shop"])
    runtime.reload()

    def told(name: str) -> list[tuple[Relation, str]]:
        return [(one.relation, one.state.ref.name) for one in runtime.neighbours(seen(runtime, name).ref)]

    assert told("shop") == [
        (Relation.DEPENDENCY, "db"),
        (Relation.DEPENDENCY, "cache"),
        (Relation.DEPENDENT, "mail"),
    ]
    assert told("db") == [(Relation.DEPENDENT, "shop"), (Relation.DEPENDENT, "cache")]
    assert told("mail") == [(Relation.DEPENDENCY, "shop")]
