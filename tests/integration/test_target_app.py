"""The real target app as a process of its own, and a local HTTP server where the agent would stand."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 20) -> T:
    """The first true value of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.03)
    return value


class Target:
    """A running target app."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aegis_infra.target_app"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        address = until(lambda: next((line for line in self.lines if "serving on" in line), None))
        self.base = address.split("serving on ")[1].split(",")[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in iter(self.process.stdout.readline, ""))

    def ask(self, path: str, timeout: float = 10) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.base + path, timeout=timeout) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path: str) -> Any:
        status, body = self.ask(path)
        assert status == 200, body
        return body

    def logged(self, words: str) -> str | None:
        return next((line for line in self.lines if words in line), None)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(5)


class Agent:
    """Stands where the agent would stand, and keeps what it is told."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("")
        self.requests: list[Request] = []
        server.expect_request("/webhook", method="POST").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        request.get_data()
        self.requests.append(request)
        return Response("{}", 202, content_type="application/json")

    def messages(self, alert_type: str) -> list[Any]:
        return [body for request in list(self.requests) if (body := request.json)["alert_type"] == alert_type]


@pytest.fixture
def agent(httpserver: HTTPServer) -> Agent:
    return Agent(httpserver)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Starts target apps with small limits and a fast monitor; they are ended afterwards."""
    defaults = {
        "APP_PORT": "0",
        "CONTAINER_NAME": "shop-1",
        "DATA_DIR": str(tmp_path / "data"),
        "AEGIS_URL": "http://127.0.0.1:9",
        "MEMORY_LIMIT_MB": "96",
        "CPU_LIMIT": "0.2",
        "DISK_QUOTA_MB": "3",
        "MONITOR_INTERVAL_SECONDS": "0.2",
        "TRAFFIC_INTERVAL_SECONDS": "0.1",
        "TRAFFIC_WINDOW_SECONDS": "3",
        "SUSTAINED_SECONDS": "0.5",
    }
    targets: list[Target] = []

    def start_one(**environment: str) -> Target:
        targets.append(Target(defaults | environment))
        return targets[-1]

    yield start_one
    for target in targets:
        target.kill()


def test_an_idle_app_is_healthy_small_and_tells_nothing(start: Callable[..., Target], agent: Agent) -> None:
    target = start(AEGIS_URL=agent.url)
    status = until(lambda: (seen := target.get("/status"))["latency_p95_ms"] and seen["cpu_percent"] and seen)

    assert target.get("/health")["status"] == "healthy"
    assert status["memory_bytes"] < 60 * 1024 * 1024
    assert (status["memory_limit_bytes"], status["memory_limit_source"]) == (96 * 1024 * 1024, "configured")
    assert (status["error_rate_percent"], status["active_faults"]) == (0, [])
    assert len(target.get("/orders")["orders"]) == 10
    assert len(target.get("/faults")) == 7
    assert "/trigger_memory" in target.get("/")["try"]
    assert agent.requests == []


def test_growing_memory_is_told_once_before_the_limit_and_reset_gives_it_back(
    start: Callable[..., Target], agent: Agent
) -> None:
    target = start(AEGIS_URL=agent.url, WEBHOOK_TOKEN="s3cret")
    idle = target.get("/status")["memory_bytes"]

    answer = target.get("/trigger_memory?rate=60")
    message = until(lambda: agent.messages("memory_pressure"))[0]

    assert (answer["fault"], answer["status"]) == ("memory", "started")
    assert message["container_name"] == "shop-1"
    assert 85 < message["metrics"]["memory_percent"] < 100
    assert message["metrics"]["memory_limit_bytes"] == 96 * 1024 * 1024
    assert "in the cache, nothing evicted" in message["logs"]
    assert agent.requests[0].headers["Authorization"] == "Bearer s3cret"
    assert target.logged("of the 96 MiB limit: cache of")
    assert target.get("/health")["status"] == "healthy"  # it answers while it leaks
    assert target.get("/reset")["ended"] == ["memory"]
    assert target.get("/status")["memory_bytes"] < idle + 8 * 1024 * 1024
    assert len(agent.messages("memory_pressure")) == 1


def test_burning_cpu_is_told_while_the_app_still_answers_and_reset_ends_the_processes(
    start: Callable[..., Target], agent: Agent
) -> None:
    target = start(AEGIS_URL=agent.url)
    target.get("/trigger_cpu")
    workers = psutil.Process(target.process.pid).children()
    message = until(lambda: agent.messages("cpu_saturation"))[0]

    assert message["metrics"]["cpu_percent"] > 85
    assert len(workers) == 1
    assert target.ask("/health", timeout=2)[0] == 200
    target.get("/reset")
    assert not any(worker.is_running() for worker in workers)
    until(lambda: (target.get("/status")["cpu_percent"] or 100) < 85)


def test_the_cpu_processes_end_when_the_app_is_killed(start: Callable[..., Target]) -> None:
    target = start()
    target.get("/trigger_cpu")
    workers = psutil.Process(target.process.pid).children()
    target.kill()

    assert workers
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_locked_database_slows_orders_and_health_and_is_told(start: Callable[..., Target], agent: Agent) -> None:
    target = start(AEGIS_URL=agent.url)
    target.get("/trigger_db_latency?seconds=1.5")
    message = until(lambda: agent.messages("latency"))[0]

    assert message["metrics"]["latency_p95_ms"] > 1000
    assert "s, waited for the lock of orders.db: SELECT" in message["logs"]
    assert until(lambda: target.get("/health")["database_ms"] > 500)


def test_requests_that_wait_for_the_database_do_not_keep_reset_from_being_answered(
    start: Callable[..., Target],
) -> None:
    target = start()
    target.get("/trigger_db_latency?seconds=20")
    waiting = threading.Thread(target=target.ask, args=("/health",))
    waiting.start()
    waiting.join(0.5)

    assert waiting.is_alive()
    assert target.ask("/reset", timeout=2)[1]["ended"] == ["db_latency"]
    waiting.join(2)
    assert not waiting.is_alive()


def test_failing_orders_are_told_with_their_traceback_while_health_stays_good(
    start: Callable[..., Target], agent: Agent
) -> None:
    target = start(AEGIS_URL=agent.url)
    target.get("/trigger_errors")
    message = until(lambda: agent.messages("error_logs"))[0]

    assert message["metrics"]["error_rate_percent"] > 20
    assert "ConnectionRefusedError: [Errno 111] Connection refused - payment gateway 127.0.0.1:" in message["logs"]
    assert "Traceback (most recent call last)" in message["logs"]
    assert target.ask("/orders")[0] == 500
    assert target.get("/health")["status"] == "healthy"
    target.get("/reset")
    assert not target.get("/status")["error_rate_percent"]  # what failed during the fault is forgotten
    assert target.ask("/orders")[0] == 200


def test_a_full_disk_is_told_survives_a_restart_and_is_freed_by_reset_only(
    start: Callable[..., Target], agent: Agent, tmp_path: Path
) -> None:
    target = start(AEGIS_URL=agent.url)
    target.get("/trigger_disk?rate=20")
    message = until(lambda: agent.messages("disk_pressure"))[0]
    assert message["metrics"]["disk_percent"] > 90
    until(lambda: target.logged("[Errno 122] Disk quota exceeded"))
    target.kill()

    restarted = start(AEGIS_URL=agent.url)
    assert restarted.get("/status")["disk_bytes"] > 2.7 * 1024 * 1024
    assert restarted.logged("exports of earlier runs are still there")
    until(lambda: len(agent.messages("disk_pressure")) == 2)
    assert restarted.get("/reset")["ended"] == ["disk"]
    assert restarted.get("/status")["disk_bytes"] < 1024 * 1024
    assert not (tmp_path / "data" / "exports").exists()


def test_a_crash_writes_its_traceback_and_ends_with_a_failure_code(start: Callable[..., Target]) -> None:
    target = start()
    target.get("/trigger_crash?delay=0.1")

    assert target.process.wait(10) == 1
    until(lambda: target.logged("json.decoder.JSONDecodeError"))
    assert target.logged("CRITICAL main: unhandled error in thread 'settlement', the process ends")


@pytest.mark.parametrize("end", ["reset", "restart"])
def test_deadlocked_workers_make_it_unhealthy_until_reset_or_restart(start: Callable[..., Target], end: str) -> None:
    target = start()
    target.get("/trigger_unhealthy")
    body = until(lambda: (answer := target.ask("/health"))[0] == 503 and answer[1])

    assert "'billing' finished no round for" in body["reasons"][0]
    assert "waits for the lock 'stock' held by worker 'shipping'" in body["reasons"][0]
    if end == "reset":
        assert target.ask("/reset", timeout=1.5)[0] == 200
    else:
        target.kill()
        target = start()
    assert target.get("/health")["status"] == "healthy"
    assert target.get("/status")["active_faults"] == []


def test_an_agent_that_comes_late_is_told_once(start: Callable[..., Target]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    target = start(AEGIS_URL=f"http://127.0.0.1:{port}")
    target.get("/trigger_disk?rate=50")
    until(lambda: target.logged("the agent did not take a message"))
    assert target.get("/status")["waiting_webhooks"] == ["disk_pressure"]

    with HTTPServer(port=port) as server:
        agent = Agent(server)
        until(lambda: agent.messages("disk_pressure"))
        until(lambda: not target.get("/status")["waiting_webhooks"])
        until(lambda: target.logged("the agent is back"))
        rounds_later = target.get("/status")["uptime_seconds"] + 1
        until(lambda: target.get("/status")["uptime_seconds"] > rounds_later)

        assert len(agent.messages("disk_pressure")) == 1


@pytest.mark.parametrize("fault", ["memory", "cpu", "db_latency", "unhealthy", "errors"])
def test_sigterm_ends_it_quickly_in_the_middle_of_a_fault(start: Callable[..., Target], fault: str) -> None:
    target = start()
    target.get(f"/trigger_{fault}")
    until(lambda: target.get("/status")["active_faults"] == [fault])
    target.process.send_signal(signal.SIGTERM)

    assert target.process.wait(5) == 0
    until(lambda: target.logged("told to stop"))


def test_a_grade_that_makes_no_sense_is_answered_with_a_sentence(start: Callable[..., Target]) -> None:
    target = start()

    assert target.ask("/trigger_memory?rate=fast") == (
        400,
        {"error": "rate must be a number from 0.1 to 1000 MiB/s, got 'fast'"},
    )
    assert target.get("/status")["active_faults"] == []


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "aegis_infra.target_app"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "APP_PORT": port, "DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "set APP_HOST and APP_PORT" in ended.stderr
