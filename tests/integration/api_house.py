"""A whole agent over a runtime in memory, and its HTTP interface: in the process of the test, and on a real socket."""

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi.testclient import TestClient

from aegis_core.bootstrap import Agent, Parts, build
from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.target import Limits, without_secrets
from aegis_core.ports import EventLog
from aegis_core.settings import load
from aegis_core.testing import FakeClock, FakeRuntime, StubBrain
from tests import examples as make
from tests.contract.rigs import wait_until

MIB = 2**20
SECRET = "s3cr3t-of-the-shop"


class ApiHouse:
    """An agent that is not started: it takes signals in, and does nothing about them until `start`."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = FakeClock(make.NOON)
        self.runtime = FakeRuntime(self.clock)
        limits = Limits(memory_bytes=128 * MIB)
        labels = {**make.LABELS, "proxy.auth": SECRET}
        self.runtime.add("web", env={"DB_PASSWORD": SECRET}, labels=labels, limits=limits, image="shop/web:1")
        self.runtime.use("web", memory_bytes=120 * MIB)
        quick = {
            "debounce_seconds": 0.0,
            "stability_seconds": 0.0,
            "verify_wait_seconds": 0.0,
            "verify_limit_seconds": 0.1,
            "sense_seconds": 0.02,
        }
        self.folder = folder
        self._settings = {**quick, **settings}
        self.build()

    def build(self, **settings: Any) -> None:
        """Build an agent on what there is; one before it has to be closed. `settings` are changed."""
        chosen = load(_env_file=None, data_dir=self.folder, **{**self._settings, **settings})
        parts = Parts(runtime=self.runtime, brain=StubBrain(make.diagnosis()), clock=self.clock, events=self._kept)
        self.agent: Agent = build(chosen, parts)
        self.http = TestClient(self.agent.app, raise_server_exceptions=False)

    def _kept(self, log: EventLog) -> EventLog:
        self.log = log
        return log

    def happens(self, incident_id: str, *drafts: Draft) -> Incident:
        """Write events as if the agent had."""
        return self.log.answer(incident_id, lambda _: drafts, self.clock())

    def waits(self, target: str = "web", **asked: Any) -> str:
        """An incident of a target that waits for an answer, for half an hour; returns its id."""
        incident_id: str = self.post(container_name=target).json()["incident_id"]
        now, seen = self.clock(), self.runtime.find(target)
        shown = without_secrets(seen) if seen else None
        question = make.approval(
            **{"shown": shown, "asked_at": now, "expires_at": now + timedelta(minutes=30), **asked}
        )
        self.happens(incident_id, make.gathered(shown), make.diagnosed(), make.asked(question))
        return incident_id

    def start(self) -> None:
        self.agent.start()
        wait_until(lambda: self.http.get("/targets").json()["items"], "the first look at the targets")

    def close(self) -> None:
        self.http.close()
        self.agent.stop()

    def post(self, path: str = "/webhook", **fields: Any) -> Any:
        """Post a signal about `web`, in ASCII, where JSON can say everything; `fields` change it."""
        known = {"container_name": "web", "alert_type": "memory", "severity": "critical", **fields}
        return self.http.post(path, content=json.dumps(known))

    def stored(self) -> list[str]:
        """The ids of all incidents, as another process would read them from the disk."""
        with closing(sqlite3.connect(f"file:{self.folder / 'aegis.db'}?mode=ro", uri=True)) as reader:
            return [row[0] for row in reader.execute("SELECT DISTINCT incident_id FROM events")]

    def healed(self) -> str:
        """Let one incident of `web` go its whole way; returns its id."""
        self.start()
        incident_id: str = self.post().json()["incident_id"]
        wait_until(lambda: self.shown(incident_id)["status"] == "RESOLVED", "it to be healed")
        return incident_id

    def shown(self, incident_id: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.http.get(f"/incidents/{incident_id}").json()
        return answer


@contextmanager
def served(agent: Agent) -> Iterator[int]:
    """Serve an agent's interface on a real socket; gives its port."""
    server = uvicorn.Server(uvicorn.Config(agent.app, host="127.0.0.1", port=0, log_config=None, log_level="error"))
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    wait_until(lambda: server.started, "the server to be up")
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        serving.join(30)


def head_of_post(**headers: str) -> bytes:
    lines = ["POST /webhook HTTP/1.1", "Host: aegis", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_of(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Read one whole answer: its status and its JSON."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        assert part, f"the connection was closed after {received!r}"
        received += part
    head, body = received.split(b"\r\n\r\n", 1)
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0]):
        body += connection.recv(65_536)
    return int(head.split()[1]), json.loads(body)
