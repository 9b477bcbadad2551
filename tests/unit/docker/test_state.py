"""What the engine says of a container, read into a TargetState."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from aegis_core.adapters.docker.state import Host, env_keys, limits_of, moment, stop_signal, stop_timeout, to_state
from aegis_core.domain.target import Health, Limits, RunState, TargetRef

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOST = Host(cpus=4, memory_bytes=8 * 2**30)
RUNNING: dict[str, Any] = {
    "Id": "f" * 64,
    "Name": "/shop-1",
    "Image": "sha256:aaaa",
    "RestartCount": 2,
    "State": {
        "Status": "running",
        "Running": True,
        "OOMKilled": False,
        "ExitCode": 0,
        "Error": "",
        "StartedAt": "2026-03-01T11:59:30.123456789Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "unhealthy",
            "Log": [
                {"ExitCode": 0, "Output": ""},
                {"ExitCode": 1, "Output": "\x1b[31mconnection\nrefused\x1b[0m\n"},
            ],
        },
    },
    "Config": {
        "Image": "shop:1.4",
        "Labels": {"aegis.enable": "true", "aegis.health_url": "http://shop:8000/health"},
        "Env": ["A=b"],
        "StopTimeout": 30,
    },
    "HostConfig": {
        "Memory": 256 * 2**20,
        "NanoCpus": 500_000_000,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    },
}


def with_state(**changes: object) -> dict[str, Any]:
    inspection = copy.deepcopy(RUNNING)
    inspection["State"].update(changes)
    return inspection


def test_a_running_container_is_described_with_all_that_it_says() -> None:
    state = to_state(RUNNING, AT, HOST)

    assert state.ref == TargetRef(name="shop-1", id="f" * 64)
    assert (state.run, state.health, state.exit_code, state.finished_at) == (
        RunState.RUNNING, Health.UNHEALTHY, None, None,
    )  # fmt: skip
    assert state.started_at == datetime(2026, 3, 1, 11, 59, 30, 123456, tzinfo=UTC)
    assert (state.restart_count, state.restart_policy, state.stop_timeout) == (2, "on-failure", 30.0)
    assert (state.image, state.image_id) == ("shop:1.4", "sha256:aaaa")
    assert state.limits == Limits(memory_bytes=256 * 2**20, cpus=0.5)
    assert state.health_url == "http://shop:8000/health"


def test_the_health_log_is_one_clean_line_an_entry() -> None:
    assert to_state(RUNNING, AT, HOST).health_log == ("exit code 0", "exit code 1: connection refused")


def test_of_a_long_health_check_both_ends_stay_for_a_traceback_tells_the_error_last() -> None:
    frames = '  File "x.py", line 1, in f\n' * 120
    told = f"Traceback (most recent call last):\n{frames}URLError: connection refused\n"
    health = {"Status": "unhealthy", "Log": [{"ExitCode": 1, "Output": told}]}
    [entry] = to_state({**RUNNING, "State": {**RUNNING["State"], "Health": health}}, AT, HOST).health_log
    assert entry.startswith("exit code 1: Traceback")
    assert entry.endswith("URLError: connection refused")
    assert len(entry) < 450


def test_a_container_without_check_labels_or_limits_has_none() -> None:
    bare = with_state(Health=None)
    bare["Config"].update(Labels=None, StopTimeout=None)
    bare["HostConfig"] = {"Memory": 0, "NanoCpus": 0, "RestartPolicy": {"Name": ""}}

    state = to_state(bare, AT, HOST)

    assert (state.health, state.health_log, state.labels) == (Health.NONE, (), {})
    assert (state.limits, state.restart_policy, state.stop_timeout) == (Limits(), "no", 10.0)
    assert state.health_url is None


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        (["PATH=/bin", "DB_PASSWORD=hunter2=x", "EMPTY=", "BARE"], ("BARE", "DB_PASSWORD", "EMPTY", "PATH")),
        (["A=1", "A=2"], ("A",)),
        (["\x1b[31mRED=1"], ("RED",)),
        ([], ()),
    ],
)
def test_of_the_environment_the_names_are_told_and_never_the_values(
    environment: list[str], keys: tuple[str, ...]
) -> None:
    assert env_keys(environment) == keys


def test_an_environment_without_end_is_told_in_part() -> None:
    keys = env_keys([f"{number:0>5}{'x' * 1_000}=1" for number in range(1_000)])

    assert (len(keys), {len(key) for key in keys}) == (200, {100})


def test_an_ended_container_tells_its_exit_code_and_why() -> None:
    ended = with_state(
        Status="exited", Running=False, ExitCode=137, OOMKilled=True, FinishedAt="2026-03-01T11:59:59.5Z"
    )

    state = to_state(ended, AT, HOST)

    assert (state.run, state.exit_code, state.oom_killed) == (RunState.EXITED, 137, True)
    assert state.finished_at == datetime(2026, 3, 1, 11, 59, 59, 500_000, tzinfo=UTC)


def test_a_container_between_two_crashes_tells_the_exit_code_of_the_last() -> None:
    assert to_state(with_state(Status="restarting", ExitCode=3), AT, HOST).exit_code == 3


def test_a_state_that_is_not_known_counts_as_dead() -> None:
    assert to_state(with_state(Status="hibernating"), AT, HOST).run is RunState.DEAD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
        ("2026-03-01T12:00:00Z", AT),
        ("2026-03-01T14:00:00.000000999+02:00", AT),
    ],
)
def test_engine_times_are_read_in_utc_and_its_zero_time_means_never(text: str | None, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("settings", "cpus"),
    [
        ({"NanoCpus": 1_500_000_000}, 1.5),
        ({"CpuQuota": 50_000, "CpuPeriod": 200_000}, 0.25),
        ({"CpuQuota": 50_000, "CpuPeriod": 0}, 0.5),
        ({"CpuQuota": -1}, None),
        ({"CpusetCpus": "0-1,3"}, 3.0),
        ({"CpusetCpus": "2", "NanoCpus": 1_500_000_000}, 1.0),
        ({"NanoCpus": 4_000_000_000}, None),
        ({"CpusetCpus": "0-3"}, None),
        ({}, None),
    ],
)
def test_the_cpu_limit_is_the_tightest_and_below_the_hosts_cores(settings: dict[str, Any], cpus: float | None) -> None:
    assert limits_of(settings, HOST).cpus == cpus


def test_a_memory_limit_of_all_the_host_has_is_none() -> None:
    assert limits_of({"Memory": HOST.memory_bytes}, HOST).memory_bytes is None
    assert limits_of({"Memory": HOST.memory_bytes - 1}, HOST).memory_bytes == HOST.memory_bytes - 1


@pytest.mark.parametrize(("seconds", "expected"), [(None, 10.0), (0, 0.0), (25, 25.0), (-1, 600.0), (86_400, 600.0)])
def test_a_stop_timeout_without_end_is_bounded(seconds: int | None, expected: float) -> None:
    assert stop_timeout({"Config": {"StopTimeout": seconds}}) == expected


@pytest.mark.parametrize(
    ("word", "number"),
    [(None, 15), ("SIGQUIT", 3), ("int", 2), ("28", 28), ("SIGRTMIN+3", 37), ("RTMIN", 34), ("SIGNONSENSE", 15)],
)
def test_the_stop_signal_of_the_image_is_read_in_all_its_spellings(word: str | None, number: int) -> None:
    assert stop_signal({"Config": {"StopSignal": word}}) == number
