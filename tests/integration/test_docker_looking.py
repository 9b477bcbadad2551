"""Looking at real containers: state, usage, logs, events and environment."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.target import Health, RunState, TargetRef, TargetState
from aegis_core.errors import TargetGone
from tests.integration.small_containers import SmallContainer, docker, running, wait_until

pytestmark = pytest.mark.engine
MIB = 2**20
TALKER = (
    "import sys; print('to stdout'); print('to stderr', file=sys.stderr);"
    " sys.stdout.buffer.write(b'caf\\xe9 \\x1b[31mred\\x1b[0m\\n'); print('ready'); import time; time.sleep(600)"
)


@pytest.fixture(scope="module")
def runtime() -> Iterator[DockerRuntime]:
    runtime = DockerRuntime()
    yield runtime
    runtime.close()


def seen(runtime: DockerRuntime, container: SmallContainer) -> TargetState:
    state = runtime.find(container.name)
    assert state is not None
    return state


def listed(runtime: DockerRuntime, container: SmallContainer) -> TargetState:
    return next(state for state in runtime.targets() if state.ref.name == container.name)


def python(program: str) -> tuple[str, ...]:
    return ("python", "-u", "-c", program)


def test_limits_labels_policy_and_stop_timeout_are_read_from_the_container(runtime: DockerRuntime) -> None:
    options = ("--memory=64m", "--cpus=0.5", "--label=aegis.enable=true", "--restart=on-failure:3", "--stop-timeout=7")
    with running(*options) as container:
        state = seen(runtime, container)

        assert (state.limits.memory_bytes, state.limits.cpus) == (64 * MIB, 0.5)
        assert (state.labels["aegis.enable"], state.restart_policy, state.stop_timeout) == ("true", "on-failure", 7.0)
        assert (state.run, state.image) == (RunState.RUNNING, "python:3.11-slim")
        assert listed(runtime, container).limits == state.limits


def test_who_did_not_opt_in_is_listed_as_far_as_the_list_tells(runtime: DockerRuntime) -> None:
    with running() as container:
        state = listed(runtime, container)

        assert (state.ref.id, state.run, state.started_at) == (container.id, RunState.RUNNING, None)


def test_limits_that_were_changed_are_seen_at_once_by_who_looks_at_the_container(runtime: DockerRuntime) -> None:
    with running("--memory=64m") as container:
        docker("update", "--memory=96m", "--memory-swap=96m", container.name)

        assert seen(runtime, container).limits.memory_bytes == 96 * MIB


def test_the_health_check_tells_its_verdict_and_its_output(runtime: DockerRuntime) -> None:
    check = ("--health-cmd=echo no database; exit 1", "--health-interval=1s", "--health-retries=1")
    with running("--label=aegis.enable=true", *check) as container:
        wait_until(lambda: seen(runtime, container).health is Health.UNHEALTHY, "the verdict")

        assert seen(runtime, container).health_log[-1] == "exit code 1: no database"
        assert listed(runtime, container).health is Health.UNHEALTHY


def test_memory_is_what_the_program_holds_and_a_share_of_its_limit(runtime: DockerRuntime) -> None:
    hold = "kept = bytearray(b'x' * 60_000_000); print('ready'); import time; time.sleep(600)"
    with running("--memory=128m", "--memory-swap=128m", command=python(hold)) as container:
        usage = runtime.usage(seen(runtime, container).ref)

        assert usage
        assert 60_000_000 < usage.memory_bytes < 90_000_000
        assert usage.memory_percent == pytest.approx(usage.memory_bytes / (128 * MIB) * 100)


def test_files_that_were_read_once_are_not_memory_in_use(runtime: DockerRuntime) -> None:
    read = "open('/big', 'wb').write(bytes(50_000_000)); open('/big', 'rb').read(); print('ready')"
    wait = "; import os, time; os.sync(); time.sleep(600)"
    with running("--memory=256m", command=python(read + wait)) as container:
        usage = runtime.usage(seen(runtime, container).ref)

        assert usage
        assert usage.memory_bytes < 45_000_000


def test_cpu_is_a_share_of_the_containers_own_allowance(runtime: DockerRuntime) -> None:
    burning = ("sh", "-c", "echo ready; while :; do :; done")
    with running("--cpus=0.2", command=burning) as container, running("--cpus=0.2") as idle:
        percents: dict[str, float] = {}

        def measured() -> bool:
            for one in (container, idle):
                usage = runtime.usage(seen(runtime, one).ref)
                if usage and usage.cpu_percent is not None:
                    percents[one.name] = usage.cpu_percent
            return len(percents) == 2

        wait_until(measured, "two samples of each")
        assert percents[container.name] > 60
        assert percents[idle.name] < 40


def test_after_a_look_at_all_the_samples_of_many_are_there_together(runtime: DockerRuntime) -> None:
    with running("--label=aegis.enable=true") as one, running("--label=aegis.enable=true") as two:
        for _ in range(2):
            began = time.monotonic()
            states = [state for state in runtime.targets() if state.ref.name in {one.name, two.name}]
            usages = [runtime.usage(state.ref) for state in states]

            assert [usage is not None for usage in usages] == [True, True]
            assert time.monotonic() - began < 4


def test_what_does_not_run_uses_nothing_and_what_is_gone_is_gone(runtime: DockerRuntime) -> None:
    with running("--stop-timeout=1") as container:
        ref = seen(runtime, container).ref
        docker("stop", container.name)
        assert runtime.usage(ref) is None
        assert seen(runtime, container).usage is None
        docker("rm", container.name)

        for ask in (runtime.usage, runtime.logs, runtime.secrets, runtime.observe):
            with pytest.raises(TargetGone):
                ask(ref)
        docker("run", "--detach", f"--name={container.name}", "python:3.11-slim", "true")  # for the clean-up


def test_a_part_of_an_id_or_a_path_is_no_name(runtime: DockerRuntime) -> None:
    with running() as container:
        for name in (
            container.id,
            container.id[:12],
            f"/{container.name}",
            f"x/../{container.name}",
            "",
            "../images",
            "a?b",
        ):
            assert runtime.find(name) is None


def test_logs_are_both_streams_cleaned(runtime: DockerRuntime) -> None:
    with running(command=python(TALKER)) as container:
        lines = runtime.logs(seen(runtime, container).ref)

        assert sorted(lines) == ["caf\N{REPLACEMENT CHARACTER} red", "ready", "to stderr", "to stdout"]


def test_logs_of_a_terminal_are_read_too(runtime: DockerRuntime) -> None:
    with running("--tty", command=python(TALKER)) as container:
        assert "to stdout" in runtime.logs(seen(runtime, container).ref)


def test_of_a_long_log_the_newest_lines_are_read(runtime: DockerRuntime) -> None:
    many = "[print('line', number) for number in range(5_000)]; print('ready'); import time; time.sleep(600)"
    with running(command=python(many)) as container:
        ref = seen(runtime, container).ref

        assert runtime.logs(ref, tail=3) == ("line 4998", "line 4999", "ready")
        assert len(runtime.logs(ref)) == 200
        assert len(runtime.logs(ref, tail=10_000)) == 2_000


def test_only_lines_since_a_moment_are_read(runtime: DockerRuntime) -> None:
    program = "print('before'); print('ready'); import time\nwhile True: time.sleep(0.1); print(time.time())"
    with running(command=python(program)) as container:
        ref = seen(runtime, container).ref
        since = datetime.now(UTC)
        wait_until(lambda: len(runtime.logs(ref, since=since)) > 2, "new lines")

        lines = runtime.logs(ref, since=since)

        assert all(float(line) >= since.timestamp() - 0.05 for line in lines)


def test_a_line_of_a_megabyte_is_cut_and_costs_little(runtime: DockerRuntime) -> None:
    with running(command=python("print('x' * 2**20); print('ready'); import time; time.sleep(600)")) as container:
        began = time.monotonic()

        lines = runtime.logs(seen(runtime, container).ref)

        assert [len(line) for line in lines] == [2_048, len("ready")]
        assert time.monotonic() - began < 5


def test_happenings_are_told_in_order_without_the_noise_of_health_checks(runtime: DockerRuntime) -> None:
    check = ("--health-cmd=true", "--health-interval=1s", "--stop-timeout=1")
    with running(*check) as container:
        ref, since = seen(runtime, container).ref, datetime.now(UTC) - timedelta(seconds=30)
        wait_until(lambda: seen(runtime, container).health is Health.HEALTHY, "the check")
        docker("stop", container.name)

        told = [line.split(" ", 1)[1] for line in runtime.happenings(ref, since)]

        assert told == ["create", "start", "health_status: healthy", "kill (signal 15)", "die (exit code 0)", "stop"]
        assert runtime.happenings(ref, datetime.now(UTC)) == []


def test_the_secrets_of_the_environment_are_known(runtime: DockerRuntime) -> None:
    with running("--env=DB_PASSWORD=hunter2=x", "--env=LANG=C.UTF-8") as container:
        secrets = runtime.secrets(seen(runtime, container).ref)

        assert "hunter2=x" in secrets
        assert "C.UTF-8" not in secrets


def test_what_never_was_is_not_found(runtime: DockerRuntime) -> None:
    assert runtime.find("aegis-it-never-was") is None
    with pytest.raises(TargetGone):
        runtime.observe(TargetRef(name="aegis-it-never-was", id="0" * 64))
