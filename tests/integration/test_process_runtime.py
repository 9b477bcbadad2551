"""The embedded process runtime with real processes: killed agents, people, leftovers, hostile circumstances."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import tomli_w

from aegis_core.adapters.process.runtime import ProcessRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.policy import Policy, forbidden
from aegis_core.domain.target import Health, RunState, TargetRef, TargetState
from aegis_core.errors import AlreadyRunning, ConfigError, RuntimeUnavailable, TargetGone
from tests.contract.rigs import wait_until

TINY = Path(__file__).parent.parent / "contract" / "tiny_target.py"
ROOT = Path(__file__).parent.parent.parent
NAME = "tiny"

GATEKEEPER = """
import os, sys
from pathlib import Path
from aegis_core.adapters.process.config import TargetSpec
from aegis_core.adapters.process.main_process import MainProcess

spec = TargetSpec(name="tiny", command=("touch", sys.argv[1]), cwd=Path("/"))
print(MainProcess.spawn(spec, "run-1", 2).pid, flush=True)
os._exit(0)
"""

AGENT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from aegis_core.adapters.process.runtime import ProcessRuntime
from aegis_core.domain.action import Action

runtime = ProcessRuntime(Path(sys.argv[1]), Path(sys.argv[2]), lambda: datetime.now(UTC))
print("starting", flush=True)
runtime.start()
print("up", flush=True)
for name in sys.stdin:
    before = runtime.find(name.strip())
    print("acting", flush=True)
    runtime.apply(Action.RESTART, before)
    print("done", flush=True)
"""


class Yard:
    """A process file, the state of its runtime, and a control folder for each tiny target."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "processes.toml"
        self.state = folder / "state"
        self.targets: dict[str, dict[str, Any]] = {}
        self._made: list[ProcessRuntime] = []
        self._agents: list[subprocess.Popen[str]] = []

    def describe(self, name: str = NAME, **table: Any) -> None:
        control = self.folder / f"{name}.control"
        control.mkdir(exist_ok=True)
        self.targets[name] = {"command": ["{python}", str(TINY), str(control)], "stop_timeout": 1, **table}
        self.config.write_text(tomli_w.dumps({"targets": self.targets}), encoding="utf-8")

    def runtime(self) -> ProcessRuntime:
        runtime = ProcessRuntime(self.config, self.state, lambda: datetime.now(UTC))
        self._made.append(runtime)
        return runtime

    def started(self) -> ProcessRuntime:
        runtime = self.runtime()
        runtime.start()
        return runtime

    def agent(self) -> subprocess.Popen[str]:
        """An agent in a process of its own, that restarts the targets whose names it is sent."""
        command = [sys.executable, "-c", AGENT, str(self.config), str(self.state)]
        pipe = subprocess.PIPE
        agent = subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, start_new_session=True)
        self._agents.append(agent)
        assert hear(agent) == "starting"
        return agent

    def ready_agent(self) -> subprocess.Popen[str]:
        agent = self.agent()
        assert hear(agent) == "up"
        self.wait_for_starts(1)
        return agent

    def tell(self, command: str, content: str = "", name: str = NAME) -> None:
        control = self.folder / f"{name}.control"
        (control / "draft").write_text(content, encoding="utf-8")
        (control / "draft").rename(control / command)
        wait_until(lambda: command == "crash" or not (control / command).exists(), f"{command} to be obeyed")

    def starts(self, name: str = NAME) -> list[str]:
        record = self.folder / f"{name}.control" / "starts"
        return record.read_text().splitlines() if record.exists() else []

    def wait_for_starts(self, number: int, name: str = NAME) -> None:
        wait_until(lambda: len(self.starts(name)) == number, f"start number {number}")

    def pid(self, name: str = NAME) -> int:
        return int(self.record(name)["pid"])

    def record(self, name: str = NAME) -> dict[str, Any]:
        return dict(json.loads((self.state / f"{name}.json").read_text()))

    def close(self) -> None:
        for agent in self._agents:
            agent.kill()
            agent.communicate()
        for runtime in self._made:
            runtime.close()
        if self.config.exists():
            with suppress(AlreadyRunning, ConfigError):
                last = ProcessRuntime(self.config, self.state, lambda: datetime.now(UTC))
                last.start()
                last.close()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(tmp_path)
    yard.describe()
    yield yard
    yard.close()


def hear(agent: subprocess.Popen[str]) -> str:
    assert agent.stdout
    return agent.stdout.readline().strip()


def ask_restart(agent: subprocess.Popen[str], name: str = NAME) -> None:
    assert agent.stdin
    agent.stdin.write(f"{name}\n")
    agent.stdin.flush()
    assert hear(agent) == "acting"


def kill(agent: subprocess.Popen[str]) -> None:
    agent.kill()
    agent.wait()


def seen(runtime: ProcessRuntime, name: str = NAME) -> TargetState:
    state = runtime.find(name)
    assert state is not None
    return state


def wait_for(runtime: ProcessRuntime, run: RunState, name: str = NAME) -> TargetState:
    wait_until(lambda: seen(runtime, name).run is run, f"{name} to be {run}")
    return seen(runtime, name)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def once(runtime: ProcessRuntime, before: TargetState, since: datetime) -> None:
    """What a caller does that does not know whether its restart happened: observe, and act only if it has not."""
    state = runtime.observe(before.ref)
    assert before.started_at
    happened = state.started_at is not None and state.started_at > before.started_at
    if not (runtime.begun(before.ref, since) and happened):
        runtime.apply(Action.RESTART, before)


# Agents that are killed


def test_the_children_of_a_killed_agent_are_taken_over_as_they_are(yard: Yard) -> None:
    agent = yard.ready_agent()
    pid, record = yard.pid(), yard.record()
    kill(agent)
    assert alive(pid)
    runtime = yard.started()
    state = seen(runtime)
    assert state.run is RunState.RUNNING
    assert state.ref.id == record["id"]
    assert state.started_at == datetime.fromisoformat(record["started_at"])
    assert yard.pid() == pid
    assert len(yard.starts()) == 1


def test_the_output_of_a_child_goes_on_while_no_agent_is_there(yard: Yard) -> None:
    kill(yard.ready_agent())
    yard.tell("say", "alone")
    runtime = yard.started()
    yard.tell("say", "together")
    ref = seen(runtime).ref
    wait_until(lambda: "said: together" in runtime.logs(ref), "the new line")
    assert [line for line in runtime.logs(ref) if "said" in line] == ["said: alone", "said: together"]


def test_what_a_child_printed_before_the_agent_was_killed_stays_before(yard: Yard) -> None:
    """An error from before a restart must not count as one after it, only because the agent was killed in between."""
    agent = yard.ready_agent()
    yard.tell("say", "old error")
    ask_restart(agent)
    since = datetime.now(UTC)
    assert hear(agent) == "done"
    yard.wait_for_starts(2)
    kill(agent)
    runtime = yard.started()
    yard.tell("say", "fresh")
    ref = seen(runtime).ref
    wait_until(lambda: "said: fresh" in runtime.logs(ref), "the new line")
    assert "said: old error" in runtime.logs(ref)
    assert "said: old error" not in runtime.logs(ref, since=since)


def test_a_child_that_died_while_no_agent_was_there_is_reported_and_not_restarted(yard: Yard) -> None:
    kill(yard.ready_agent())
    pid = yard.pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), "the child to die")
    runtime = yard.started()
    state = seen(runtime)
    assert state.run is RunState.EXITED
    assert state.exit_code is None
    assert not state.stopped_by_person
    assert len(yard.starts()) == 1
    runtime.apply(Action.RESTART, state)
    yard.wait_for_starts(2)


def test_a_child_that_was_taken_over_can_be_restarted(yard: Yard) -> None:
    kill(yard.ready_agent())
    runtime = yard.started()
    pid, before = yard.pid(), seen(runtime)
    runtime.apply(Action.RESTART, before)
    assert not alive(pid)
    assert seen(runtime).ref == before.ref
    yard.wait_for_starts(2)
    assert yard.starts() == ["alone", "alone"]


def test_the_end_of_a_child_that_was_taken_over_is_seen(yard: Yard) -> None:
    kill(yard.ready_agent())
    runtime = yard.started()
    yard.tell("crash", "3")
    state = wait_for(runtime, RunState.EXITED)
    assert state.finished_at


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.06])
def test_an_agent_killed_during_a_restart_leaves_one_restart_and_one_copy(yard: Yard, delay: float) -> None:
    agent = yard.ready_agent()
    before = TargetState(
        ref=TargetRef(name=NAME, id=yard.record()["id"]),
        at=datetime.now(UTC),
        run=RunState.RUNNING,
        started_at=yard.record()["started_at"],
    )
    since = datetime.now(UTC)
    ask_restart(agent)
    time.sleep(delay)
    kill(agent)
    runtime = yard.started()
    once(runtime, before, since)
    wait_for(runtime, RunState.RUNNING)
    yard.wait_for_starts(2)
    assert yard.starts() == ["alone", "alone"]


def test_an_agent_killed_in_a_slow_stop_leaves_one_restart(yard: Yard) -> None:
    agent = yard.ready_agent()
    yard.tell("deaf")
    pid, since = yard.pid(), datetime.now(UTC)
    ask_restart(agent)
    wait_until(lambda: yard.record()["phase"] == "stopping", "the stop to begin")
    kill(agent)
    assert alive(pid)
    runtime = yard.started()
    state = seen(runtime)
    assert runtime.begun(state.ref, since)
    assert state.run is RunState.RUNNING
    assert not alive(pid)
    yard.wait_for_starts(2)
    assert yard.starts() == ["alone", "alone"]


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.006, 0.009, 0.012, 0.02, 0.03])
def test_an_agent_killed_during_the_first_start_leaves_one_copy(yard: Yard, delay: float) -> None:
    agent = yard.agent()
    time.sleep(delay)
    kill(agent)
    runtime = yard.started()
    wait_for(runtime, RunState.RUNNING)
    wait_until(lambda: "ready" in runtime.logs(seen(runtime).ref), "the target to be ready")
    yard.wait_for_starts(1)
    assert yard.starts() == ["alone"]


def test_a_process_whose_agent_died_before_letting_it_go_runs_nothing(tmp_path: Path) -> None:
    """Between the start of a process and its line in the journal nobody would know of it."""
    witness = tmp_path / "witness"
    command = [sys.executable, "-c", GATEKEEPER, str(witness)]
    agent = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    wait_until(lambda: not alive(int(agent.stdout)), "the process to end at its gate")
    assert not witness.exists()


def test_a_process_that_its_agent_never_let_go_is_started_by_the_next(yard: Yard) -> None:
    """The agent died between writing the process down and opening its gate: nothing has run, so nothing has crashed."""
    kill(yard.ready_agent())
    os.kill(yard.pid(), signal.SIGKILL)
    (yard.state / f"{NAME}.run").unlink()
    assert seen(yard.started()).run is RunState.RUNNING
    yard.wait_for_starts(2)


def test_a_child_is_recognised_after_the_clock_was_set(yard: Yard) -> None:
    """Creation times are computed from the clock, so that one that was set while no agent was there shifts them."""
    kill(yard.ready_agent())
    shift(yard, create_time=3600.0)
    runtime = yard.started()
    assert seen(runtime).run is RunState.RUNNING
    assert len(yard.starts()) == 1


def test_a_stranger_with_the_pid_of_a_dead_child_is_left_alone(yard: Yard) -> None:
    kill(yard.ready_agent())
    os.kill(yard.pid(), signal.SIGKILL)
    with bystander() as stranger:
        shift(yard, pid=stranger.pid - yard.pid(), create_time=-60.0)
        runtime = yard.started()
        assert seen(runtime).run is RunState.EXITED
        runtime.apply(Action.RESTART, seen(runtime))
        assert stranger.poll() is None


def shift(yard: Yard, **changes: float) -> None:
    record = yard.record()
    record.update({key: record[key] + change for key, change in changes.items()})
    (yard.state / f"{NAME}.json").write_text(json.dumps(record))


def test_a_second_agent_on_the_same_state_refuses_to_start(yard: Yard) -> None:
    runtime = yard.started()
    with pytest.raises(AlreadyRunning, match=str(yard.state)):
        yard.runtime().start()
    assert seen(runtime).run is RunState.RUNNING


# The ordinary end


def test_an_ordinary_end_leaves_no_process(yard: Yard) -> None:
    family = "import subprocess, sys, time; subprocess.Popen(['sleep', '61']); time.sleep(60)"
    yard.describe("parent", command=["{python}", "-c", family])
    runtime = yard.started()
    wait_until(lambda: psutil.Process(yard.pid("parent")).children(), "the grandchild")
    pids = [yard.pid(), yard.pid("parent"), *(p.pid for p in psutil.Process(yard.pid("parent")).children())]
    runtime.close()
    assert len(pids) == 3
    wait_until(lambda: not any(alive(pid) for pid in pids), "every process to be gone", seconds=2)


def test_what_ended_with_its_agent_starts_with_the_next_as_the_same_target(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    before = seen(runtime)
    runtime.close()
    after = seen(yard.started())
    assert after.run is RunState.RUNNING
    assert after.ref == before.ref
    yard.wait_for_starts(2)


def test_nothing_is_started_any_more_once_the_end_has_begun(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    before = seen(runtime)
    runtime.close()
    with pytest.raises(RuntimeUnavailable, match="shut down"):
        runtime.apply(Action.RESTART, before)
    assert len(yard.starts()) == 1


def test_a_crashed_target_stays_down_over_an_ordinary_end(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    yard.tell("crash", "3")
    wait_for(runtime, RunState.EXITED)
    runtime.close()
    state = seen(yard.started())
    assert state.run is RunState.EXITED
    assert state.exit_code == 3


# People


def test_a_target_that_a_person_stopped_stays_down_for_the_next_agent_too(yard: Yard) -> None:
    runtime = yard.started()
    runtime.stop(NAME)
    assert seen(runtime).stopped_by_person
    runtime.close()
    state = seen(yard.started())
    assert state.run is RunState.EXITED
    assert state.stopped_by_person


@pytest.mark.parametrize(
    ("number", "exit_code", "person"),
    [
        (signal.SIGTERM, 143, True),
        (signal.SIGINT, 130, True),
        (signal.SIGKILL, 137, False),
        (signal.SIGSEGV, 139, False),
    ],
)
def test_the_signal_that_ended_a_target_tells_whether_a_person_wanted_it(
    yard: Yard, number: signal.Signals, exit_code: int, person: bool
) -> None:
    yard.describe(command=["sleep", "60"])
    runtime = yard.started()
    wait_until(lambda: psutil.Process(yard.pid()).name() == "sleep", "the gate to be passed")
    os.kill(yard.pid(), number)
    state = wait_for(runtime, RunState.EXITED)
    assert (state.exit_code, state.stopped_by_person) == (exit_code, person)
    assert not state.oom_killed


def test_a_program_that_ends_by_itself_without_an_error_is_left_in_peace(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    yard.tell("crash", "0")
    assert wait_for(runtime, RunState.EXITED).stopped_by_person


def test_the_shutdown_of_the_host_is_not_taken_for_a_persons_stop(yard: Yard) -> None:
    """At a shutdown everybody gets SIGTERM: the targets may be gone before the agent begins to end."""
    runtime = yard.started()
    yard.wait_for_starts(1)
    os.kill(yard.pid(), signal.SIGTERM)
    wait_for(runtime, RunState.EXITED)
    runtime.close()
    assert seen(yard.started()).run is RunState.RUNNING


def test_a_process_that_a_person_has_paused_is_told_from_a_running_one(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    os.kill(yard.pid(), signal.SIGSTOP)
    state = wait_for(runtime, RunState.PAUSED)
    assert state.stopped_by_person
    os.kill(yard.pid(), signal.SIGCONT)
    assert not wait_for(runtime, RunState.RUNNING).stopped_by_person


def test_a_paused_process_can_be_restarted_within_its_stop_timeout(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    os.kill(yard.pid(), signal.SIGSTOP)
    before = wait_for(runtime, RunState.PAUSED)
    runtime.apply(Action.RESTART, before)
    yard.wait_for_starts(2)
    assert not any("signal 9" in line for line in runtime.happenings(before.ref, before.at))


def test_a_target_that_has_not_opted_in_is_refused_with_the_reason(yard: Yard) -> None:
    yard.describe("willing", labels={"aegis.enable": "true"})
    yard.describe("own", labels={"aegis.enable": "true", "aegis.self": "true"})
    runtime = yard.started()
    assert "has not opted in" in (forbidden(seen(runtime), Policy()) or "")
    assert "part of Aegis itself" in (forbidden(seen(runtime, "own"), Policy()) or "")
    assert forbidden(seen(runtime, "willing"), Policy()) is None


# What a target leaves behind

ORPHAN = """
import os, subprocess, sys, time
if len(sys.argv) > 1:
    time.sleep(60)
subprocess.Popen(["sh", "-c", "sleep 62 & echo $! > {data_dir}/orphan"])
time.sleep(60)
"""


def orphan_of(yard: Yard) -> int:
    file = yard.state / "data" / "parent" / "orphan"
    wait_until(lambda: file.exists() and file.read_text().strip(), "the orphan")
    pid = int(file.read_text())
    file.unlink()
    return pid


def test_what_a_crashed_target_leaves_behind_is_cleared_away(yard: Yard) -> None:
    yard.describe("parent", command=["{python}", "-c", ORPHAN])
    runtime = yard.started()
    orphan = orphan_of(yard)
    assert alive(orphan)
    os.kill(yard.pid("parent"), signal.SIGSEGV)
    wait_until(lambda: not alive(orphan), "the orphan to be cleared away")
    assert not seen(runtime, "parent").stopped_by_person


def test_what_a_run_left_behind_while_no_agent_was_there_is_cleared_away(yard: Yard) -> None:
    yard.describe("parent", command=["{python}", "-c", ORPHAN])
    agent = yard.ready_agent()
    orphan = orphan_of(yard)
    kill(agent)
    os.kill(yard.pid("parent"), signal.SIGKILL)
    runtime = yard.started()
    assert seen(runtime, "parent").run is RunState.EXITED
    wait_until(lambda: not alive(orphan), "the orphan to be cleared away")


def test_memory_of_descendants_counts_and_all_are_killed_for_it(yard: Yard) -> None:
    hungry = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {0!r}]); time.sleep(60)"
    eater = "import time; block = bytearray(b'x' * (90 << 20)); time.sleep(60)"
    yard.describe("parent", command=["{python}", "-c", hungry.format(eater)], memory_limit_mb=64)
    runtime = yard.started()
    state = wait_for(runtime, RunState.EXITED, "parent")
    assert state.oom_killed
    assert state.exit_code == 137
    told = runtime.happenings(state.ref, datetime.fromtimestamp(0, UTC))
    assert any("oom" in line and "limit 64 MiB" in line for line in told)
    run = yard.record("parent")["run"]
    assert not [p for p in psutil.process_iter() if run_of(p) == run]


def run_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("AEGIS_RUN")
    except psutil.Error:
        return None


# Definitions that change


def test_a_target_whose_definition_changed_while_no_agent_was_there_is_replaced(yard: Yard) -> None:
    kill(yard.ready_agent())
    old, old_id = yard.pid(), yard.record()["id"]
    yard.describe(env={"COLOUR": "blue"})
    runtime = yard.started()
    assert seen(runtime).ref.id != old_id
    assert not alive(old)
    yard.wait_for_starts(2)
    assert yard.starts() == ["alone", "alone"]


def test_a_target_that_is_no_longer_described_is_ended(yard: Yard) -> None:
    yard.describe("other")
    kill(yard.ready_agent())
    old = yard.pid("other")
    del yard.targets["other"]
    yard.describe()
    runtime = yard.started()
    assert runtime.find("other") is None
    assert not alive(old)


def test_a_reload_leaves_what_has_not_changed_alone(yard: Yard) -> None:
    yard.describe("other")
    runtime = yard.started()
    before, other = seen(runtime), seen(runtime, "other")
    yard.describe("other", env={"COLOUR": "blue"})
    yard.describe("third")
    runtime.reload()
    assert seen(runtime).started_at == before.started_at
    assert seen(runtime, "other").ref.id != other.ref.id
    assert seen(runtime, "third").run is RunState.RUNNING
    with pytest.raises(TargetGone):
        runtime.apply(Action.RESTART, other)


def test_a_late_look_at_a_replaced_target_does_not_bring_its_record_back(yard: Yard) -> None:
    yard.describe("other", health_url="http://127.0.0.1:9/")
    runtime = yard.started()
    old = runtime._children["other"]  # as the supervisor has it in hand for a moment longer
    del yard.targets["other"]
    yard.describe()
    runtime.reload()
    old._noted_health = Health.NONE  # so that there is something to be written down
    old.watch()
    assert not (yard.state / "other.json").exists()


def test_a_reload_of_a_broken_file_changes_nothing(yard: Yard) -> None:
    runtime = yard.started()
    before = seen(runtime)
    yard.config.write_text("[targets.tiny]\ncommand = 7\n")
    with pytest.raises(ConfigError, match=r"targets\.tiny\.command"):
        runtime.reload()
    assert seen(runtime).started_at == before.started_at


# Circumstances


def test_a_command_that_does_not_exist_is_reported_with_its_reason(yard: Yard) -> None:
    yard.describe("typo", command=["no-such-program-here"])
    runtime = yard.started()
    state = wait_for(runtime, RunState.EXITED, "typo")
    assert state.exit_code == 127
    assert not state.stopped_by_person
    assert any("not found" in line for line in runtime.logs(state.ref))
    assert seen(runtime).run is RunState.RUNNING


def test_a_target_that_cannot_be_started_is_reported_and_keeps_no_other_from_starting(yard: Yard) -> None:
    yard.describe("homeless", cwd="no/such/folder")
    runtime = yard.started()
    state = seen(runtime, "homeless")
    assert state.run is RunState.EXITED
    assert state.exit_code == 127
    assert seen(runtime).run is RunState.RUNNING
    with pytest.raises(RuntimeUnavailable, match="homeless could not be started"):
        runtime.apply(Action.RESTART, state)


def test_nothing_is_done_that_cannot_be_written_down_first(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    before, pid = seen(runtime), yard.pid()
    (yard.state / f"{NAME}.draft").mkdir()  # stands in the way of the next write, as a full disk would
    with pytest.raises(RuntimeUnavailable, match="journal"):
        runtime.apply(Action.RESTART, before)
    assert alive(pid)
    assert not runtime.begun(before.ref, before.at)
    (yard.state / f"{NAME}.draft").rmdir()
    runtime.apply(Action.RESTART, before)
    yard.wait_for_starts(2)


def test_a_crash_that_could_not_be_written_down_is_known_and_written_down_later(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    (yard.state / f"{NAME}.draft").mkdir()
    yard.tell("crash", "3")
    assert wait_for(runtime, RunState.EXITED).exit_code == 3
    assert yard.record()["phase"] == "running"
    (yard.state / f"{NAME}.draft").rmdir()
    wait_until(lambda: yard.record()["phase"] == "exited", "the crash to be written down")


def test_nothing_of_the_agents_environment_reaches_a_target(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEGIS_LLM_API_KEY", "sk-not-for-targets")
    yard.describe("env", command=["env"], env={"OWN": "yes"})
    runtime = yard.started()
    wait_for(runtime, RunState.EXITED, "env")
    lines = runtime.logs(seen(runtime, "env").ref)
    assert "OWN=yes" in lines
    assert {line.partition("=")[0] for line in lines} <= {"OWN", "PATH", "PWD", "AEGIS_RUN"}


def test_a_slow_restart_does_not_hold_up_that_of_another_target(yard: Yard) -> None:
    yard.describe("other")
    yard.describe(stop_timeout=5)
    runtime = yard.started()
    yard.wait_for_starts(1)
    yard.wait_for_starts(1, "other")
    yard.tell("deaf")
    slow = threading.Thread(target=runtime.apply, args=(Action.RESTART, seen(runtime)))
    slow.start()
    wait_until(lambda: yard.record()["phase"] == "stopping", "the slow stop to begin")
    runtime.apply(Action.RESTART, seen(runtime, "other"))
    yard.wait_for_starts(2, "other")
    assert slow.is_alive()
    os.kill(yard.pid(), signal.SIGKILL)
    slow.join()


def test_many_may_look_while_a_target_is_restarted_again_and_again(yard: Yard) -> None:
    yard.describe(memory_limit_mb=256)
    runtime = yard.started()
    over, troubles = threading.Event(), []
    ref = seen(runtime).ref

    def repeatedly(look: Callable[[TargetRef], object]) -> None:
        try:
            while not over.is_set():
                look(ref)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it must not happen
            troubles.append(trouble)

    looks = [runtime.observe, runtime.usage, runtime.logs, lambda _: runtime.targets()] * 2
    threads = [threading.Thread(target=repeatedly, args=(look,)) for look in looks]
    for thread in threads:
        thread.start()
    for _ in range(5):
        runtime.apply(Action.RESTART, runtime.observe(ref))
    over.set()
    for thread in threads:
        thread.join()
    assert troubles == []


def test_two_who_ask_for_a_restart_at_once_never_make_two_copies(yard: Yard) -> None:
    runtime = yard.started()
    yard.wait_for_starts(1)
    before = seen(runtime)
    threads = [threading.Thread(target=runtime.apply, args=(Action.RESTART, before)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: "ready" in runtime.logs(before.ref, tail=1), "the last copy to be ready")
    assert [process.pid for process in psutil.process_iter() if belongs(process, yard)] == [yard.pid()]
    assert set(yard.starts()) == {"alone"}


def belongs(process: psutil.Process, yard: Yard) -> bool:
    try:
        return str(yard.folder / f"{NAME}.control") in process.cmdline()
    except psutil.Error:
        return False


def test_a_check_that_nobody_answers_makes_a_target_unhealthy_after_its_start_period(yard: Yard) -> None:
    settings = {"health_interval": 0.05, "health_retries": 2, "health_start_period": 0.3}
    yard.describe(health_url="http://127.0.0.1:9/", **settings)
    runtime = yard.started()
    assert seen(runtime).health is Health.STARTING
    wait_until(lambda: seen(runtime).health is Health.UNHEALTHY, "the target to be unhealthy")
    state = seen(runtime)
    assert state.started_at
    assert (state.at - state.started_at).total_seconds() > 0.3
    assert all("no connection" in line for line in state.health_log)
