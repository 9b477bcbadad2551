"""The commands against a real agent, a real target app, and servers that are something else."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from socket import create_server
from typing import Any

import psutil
import pytest
import requests
from pytest_httpserver import HTTPServer

from aegis_core.cli import main
from aegis_core.cli.client import CoreClient
from tests.acceptance.scene import free_port, until

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "contract" / "tiny_target.py"
PYTHON = [sys.executable, "-m", "aegis_core"]


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@dataclass(frozen=True)
class Served:
    """A real agent in a folder of its own, with one tiny target."""

    folder: Path
    port: int
    env: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def crash(self) -> None:
        """Order a crash; before its start has written itself down, the target would take the order away."""
        until((self.folder / "control" / "starts").exists, "the target to have started")
        draft = self.folder / "control" / "draft"
        draft.write_text("3")
        draft.rename(self.folder / "control" / "crash")

    def incidents(self, **wanted: str) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/incidents", params=wanted, timeout=5).json()["items"])

    def healed(self) -> dict[str, Any]:
        """A crash that was healed; the first to ask causes it."""
        if not self.incidents():
            self.crash()
        return dict(until(lambda: self.incidents(status="RESOLVED"), "the crash to be healed")[0])


def environment(folder: Path, port: int) -> dict[str, str]:
    processes = folder / "processes.toml"
    (folder / "control").mkdir(exist_ok=True)
    command = json.dumps([sys.executable, str(TINY), str(folder / "control")])
    labels = '{ "aegis.enable" = "true" }'
    processes.write_text(f"[targets.shop]\ncommand = {command}\nlabels = {labels}\nstop_timeout = 2\n")
    return {
        "PATH": os.environ["PATH"],
        "AEGIS_PORT": str(port),
        "AEGIS_DATA_DIR": str(folder / "data"),
        "AEGIS_RUNTIME": "process",
        "AEGIS_PROCESSES": str(processes),
        "AEGIS_STABILITY_SECONDS": "0.2",
        "AEGIS_VERIFY_WAIT_SECONDS": "0.1",
        "AEGIS_SENSE_SECONDS": "0.2",
        "AEGIS_COOLDOWN_SECONDS": "0",
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    one = Served(folder, port, environment(folder, port))
    with (folder / "log").open("wb") as log:
        agent = subprocess.Popen([*PYTHON, "serve"], cwd=folder, env=one.env, stdout=log, stderr=log)
    try:
        until(lambda: requests.get(f"{one.url}/ready", timeout=5).ok, "the agent to be ready")
        yield one
    finally:
        agent.terminate()
        assert agent.wait(30) == 0


@pytest.fixture
def aegis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this very process, in an empty folder and with no settings but those given."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("AEGIS_", "TARGET_APP_", "DASHBOARD_", "DEMO_")):
            monkeypatch.delenv(name)

    def run(*words: str, **settings: str) -> Said:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["aegis", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return run


# What a running agent knows


def test_incidents_are_listed_for_people_and_for_machines(served: Served, aegis: Command) -> None:
    healed = served.healed()
    shown = aegis("incidents", "list", "--url", served.url)
    assert shown.code == 0
    assert healed["incident_id"] in shown.out
    assert "RESOLVED" in shown.out
    told = aegis("incidents", "list", "--json", "--target", "shop", "--url", served.url).json
    assert healed["incident_id"] in {one["incident_id"] for one in told["items"]}


@pytest.mark.parametrize("wanted", [("--status", "failed"), ("--target", "other"), ("--fault", "latency"), ("--open",)])
def test_filters_leave_out_what_does_not_fit(served: Served, aegis: Command, wanted: tuple[str, ...]) -> None:
    served.healed()
    shown = aegis("incidents", "list", *wanted, "--url", served.url)
    assert (shown.code, shown.out) == (0, "No incidents.\n")


def test_the_settings_say_where_the_agent_is(served: Served, aegis: Command) -> None:
    assert aegis("incidents", "list", AEGIS_PORT=str(served.port)).code == 0


def test_one_incident_is_shown_whole(served: Served, aegis: Command) -> None:
    healed = served.healed()
    shown = aegis("incidents", "show", healed["incident_id"], "--url", served.url)
    for words in ("Root cause", "Evidence", "E1", "Verification", "✔ running", "RESTART is done"):
        assert words in shown.out
    told = aegis("incidents", "show", healed["incident_id"], "--json", "--url", served.url).json
    assert told["status"] == "RESOLVED"
    assert told["events"][0]["type"] == "SignalReceived"


def test_an_unknown_incident_is_one_sentence_on_standard_error(served: Served, aegis: Command) -> None:
    said = aegis("incidents", "show", "inc-none", "--url", served.url)
    assert (said.code, said.out) == (1, "")
    assert "no incident inc-none" in said.err


def test_watching_an_incident_ends_with_it(served: Served, aegis: Command) -> None:
    said = aegis("incidents", "watch", served.healed()["incident_id"], "--url", served.url)
    assert said.code == 0
    assert "verified healthy" in said.out
    assert said.out.endswith("It ended RESOLVED\n")


def test_watching_everything_tells_what_is_new_until_ctrl_c(served: Served) -> None:
    opened = datetime.fromisoformat(served.healed()["opened_at"]).astimezone()
    watching = subprocess.Popen(
        [*PYTHON, "incidents", "watch", "--url", served.url], cwd=served.folder, env=served.env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert watching.stdout
    seen = [watching.stdout.readline()]
    served.crash()
    while "lesson for the runbook" not in seen[-1]:
        seen.append(watching.stdout.readline())
        assert seen[-1], seen
    watching.send_signal(signal.SIGINT)
    assert watching.wait(10) == 0
    assert f"{opened:%H:%M:%S}" not in "".join(seen)  # it had ended before


def test_the_runbook_is_searched(served: Served, aegis: Command) -> None:
    healed = served.healed()
    until(lambda: healed["incident_id"] in aegis("runbook", "--url", served.url).out, "the lesson")
    assert "it held" in aegis("runbook", "crashed shop", "--url", served.url).out
    assert aegis("runbook", "no-such-word", "--url", served.url).out == "No lesson fits.\n"
    entries = aegis("runbook", "shop", "--json", "--url", served.url).json["entries"]
    assert healed["incident_id"] in {one["incident_id"] for one in entries}


# When the agent is not there, or is something else


@pytest.mark.parametrize(
    "words", [("incidents", "list"), ("incidents", "watch"), ("incidents", "show", "x"), ("runbook",)]
)
def test_an_agent_that_is_away_is_exit_code_3_with_what_to_do(aegis: Command, words: tuple[str, ...]) -> None:
    said = aegis(*words, AEGIS_PORT=str(free_port()))
    assert (said.code, said.out) == (3, "")
    assert "aegis serve" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("body", ["<html>", "[1]", '{"items": 7}', '{"items": [{}], "total": 1}'])
def test_something_else_at_the_address_is_told_as_such(aegis: Command, httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/incidents").respond_with_data(body)
    said = aegis("incidents", "list", "--url", httpserver.url_for(""))
    assert said.code == 3
    assert "is not" in said.err


def test_the_token_is_sent(httpserver: HTTPServer) -> None:
    answer = {"items": [], "total": 0}
    httpserver.expect_request("/incidents", headers={"Authorization": "Bearer t-1"}).respond_with_json(answer)
    assert CoreClient(httpserver.url_for(""), "t-1").incidents() == ()


def test_a_proxy_of_the_host_has_no_part_in_it(served: Served, aegis: Command) -> None:
    assert aegis("incidents", "list", "--url", served.url, http_proxy="http://127.0.0.1:9").code == 0


# serve


def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    port = free_port()
    with create_server(("127.0.0.1", port)):
        said = _serve(tmp_path, environment(tmp_path, port))
    assert said.returncode == 2
    assert said.stderr == f"aegis: Port {port} is taken. Stop what listens there, or set AEGIS_PORT to another one.\n"
    assert not (tmp_path / "data").exists()


def test_a_second_agent_on_the_same_data_is_refused(served: Served) -> None:
    said = _serve(served.folder, {**served.env, "AEGIS_PORT": str(free_port())})
    assert said.returncode == 2
    assert "already running" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    said = _serve(tmp_path, {**environment(tmp_path, free_port()), "AEGIS_WORKERS": "many"})
    assert said.returncode == 2
    assert "AEGIS_WORKERS" in said.stderr


def test_options_win_over_settings_and_sigterm_ends_agent_and_target(tmp_path: Path) -> None:
    port = free_port()
    env = environment(tmp_path, 1)
    agent = subprocess.Popen([*PYTHON, "serve", "--port", str(port)], cwd=tmp_path, env=env, stderr=subprocess.DEVNULL)
    until(lambda: requests.get(f"http://127.0.0.1:{port}/ready", timeout=5).ok, "the agent to be ready")
    targets = [one for one in psutil.Process(agent.pid).children() if str(TINY) in one.cmdline()]
    assert len(targets) == 1
    agent.terminate()
    try:
        assert agent.wait(30) == 0
        assert not targets[0].is_running()
    finally:
        for one in (agent, *targets):
            with suppress(psutil.NoSuchProcess):
                one.kill()


def _serve(folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, "serve"], cwd=folder, env=env, capture_output=True, text=True, timeout=30, check=False
    )


# simulate


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real target app."""
    port = free_port()
    env = {"PATH": os.environ["PATH"], "APP_PORT": str(port), "DATA_DIR": str(tmp_path_factory.mktemp("app"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "aegis_infra.target_app"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    until(lambda: requests.get(f"{url}/health", timeout=5).ok, "the target app")
    yield url
    process.terminate()
    process.wait(30)


def test_a_fault_is_really_caused_and_what_to_expect_is_told(app: str, aegis: Command) -> None:
    said = aegis("simulate", "errors", "--url", app)
    assert said.code == 0
    assert "Expect: 100 % of the requests" in said.out
    assert requests.get(f"{app}/status", timeout=5).json()["active_faults"] == ["errors"]
    requests.get(f"{app}/reset", timeout=5)


def test_an_unknown_fault_lists_those_that_there_are(app: str, aegis: Command) -> None:
    said = aegis("simulate", "flood", "--url", app)
    assert (said.code, said.out) == (2, "")
    assert "'flood'" in said.err
    assert all(name in said.err for name in ("memory", "cpu", "db_latency", "crash", "unhealthy", "errors", "disk"))
    assert "db_latency" in aegis("simulate", "--url", app).out


def test_a_target_app_that_is_away_is_told_with_what_to_do(aegis: Command) -> None:
    said = aegis("simulate", "cpu", TARGET_APP_PORT=str(free_port()))
    assert said.code == 1
    assert "aegis demo" in said.err


# doctor


def found(said: Said) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in said.json["checks"]}


def test_the_doctor_looks_while_the_agent_runs(served: Served, aegis: Command) -> None:
    served.healed()
    said = aegis("doctor", "--json", **served.env)
    checks = found(said)
    assert said.code == 0, said.out
    assert {one["verdict"] for one in checks.values()} == {"ok"}
    assert "every hash chain is whole" in checks["event log"]["detail"]
    assert "runtime process" in checks["agent"]["detail"]
    assert "All is well." in aegis("doctor", **served.env).out


def test_the_doctor_names_the_first_event_that_somebody_has_changed(
    served: Served, aegis: Command, tmp_path: Path
) -> None:
    healed = served.healed()
    (tmp_path / "data").mkdir()
    with (
        sqlite3.connect(served.folder / "data" / "aegis.db") as source,
        sqlite3.connect(tmp_path / "data" / "aegis.db") as copy,
    ):
        source.backup(copy)
    with sqlite3.connect(tmp_path / "data" / "aegis.db") as copy:
        changed = "UPDATE events SET data = replace(data, 'RESTART', 'NOOP') WHERE incident_id = ? AND version = 3"
        assert copy.execute(changed, [healed["incident_id"]]).rowcount == 1
    said = aegis("doctor", "--json", **{**served.env, "AEGIS_DATA_DIR": str(tmp_path / "data")})
    check = found(said)["event log"]
    assert (said.code, check["verdict"]) == (1, "fail")
    assert f"{healed['incident_id']} breaks at event 3" in check["detail"]


def test_the_doctor_changes_nothing(aegis: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "runbook.json").write_text("half a runb")
    said = aegis("doctor", "--json", AEGIS_RUNTIME="process")
    assert found(said)["runbook"]["verdict"] == "warn"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["runbook.json"]


def test_the_doctor_says_how_to_get_at_an_engine_that_does_not_answer(aegis: Command) -> None:
    nowhere = {"AEGIS_DOCKER_HOST": "unix:///nowhere/docker.sock"}
    said = aegis("doctor", "--json", AEGIS_RUNTIME="docker", **nowhere)
    check = found(said)["Docker engine"]
    assert (said.code, check["verdict"]) == (1, "fail")
    assert "Is Docker installed and running?" in check["detail"]
    assert "AEGIS_RUNTIME=process" in check["advice"]


def test_the_doctor_names_the_settings_that_cannot_be_used(aegis: Command) -> None:
    said = aegis("doctor", "--json", AEGIS_PORT="99999")
    assert said.code == 1
    assert "AEGIS_PORT" in found(said)["settings"]["detail"]


@pytest.mark.parametrize(
    ("status", "models", "told"),
    [
        (200, ["m-1", "m-2"], "ok: has m-1"),
        (200, ["m-2"], "warn: no model m-1"),
        (401, [], "warn: refuses the key"),
        (404, [], "warn: HTTP 404"),
    ],
)
def test_the_doctor_asks_the_cloud_for_its_models_with_the_key(
    aegis: Command, httpserver: HTTPServer, status: int, models: list[str], told: str
) -> None:
    body = {"data": [{"id": name} for name in models]}
    request = httpserver.expect_request("/v1/models", headers={"Authorization": "Bearer k-1"})
    request.respond_with_json(body, status=status)
    said = aegis(
        "doctor", "--json", AEGIS_LLM_BASE_URL=httpserver.url_for("/v1"), AEGIS_LLM_API_KEY="k-1", AEGIS_LLM_MODEL="m-1"
    )
    check = found(said)["cloud model"]
    verdict, words = told.split(": ")
    assert check["verdict"] == verdict
    assert words in check["detail"]
    assert "k-1" not in said.out


def test_the_doctor_says_which_model_ollama_lacks(aegis: Command, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/tags").respond_with_json({"models": [{"name": "small:latest"}]})
    there = {"AEGIS_OLLAMA_URL": httpserver.url_for("")}
    assert found(aegis("doctor", "--json", AEGIS_OLLAMA_MODEL="small", **there))["Ollama"]["verdict"] == "ok"
    lacking = found(aegis("doctor", "--json", AEGIS_OLLAMA_MODEL="large", **there))["Ollama"]
    assert lacking["advice"] == "Run `ollama pull large`."


def test_the_doctor_posts_nothing_to_slack_and_keeps_its_url_secret(aegis: Command, httpserver: HTTPServer) -> None:
    said = aegis("doctor", "--json", AEGIS_SLACK_WEBHOOK_URL=httpserver.url_for("/services/T0/B0/secret"))
    assert found(said)["Slack"]["verdict"] == "ok"
    assert "secret" not in said.out
    assert httpserver.log == []


def test_the_version_is_printed(aegis: Command) -> None:
    assert aegis("--version").out.startswith("aegis ")
