"""The live stream over real WebSockets: who comes again misses nothing, and who is slow holds up nobody."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from aegis_core.api import live as api
from tests import examples as make
from tests.acceptance.served_agent import ServedAgent
from tests.contract.rigs import wait_until

from .api_house import ApiHouse, served

Message = dict[str, Any]


class Watcher:
    """A client that keeps what it was told."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.told: list[Message] = []

    def next(self, seconds: float = 10.0) -> Message:
        message: Message = json.loads(self.connection.recv(seconds))
        self.told.append(message)
        return message

    def until(self, kind: str, **wanted: Any) -> Message:
        """Listen until a message of this type with these fields comes."""
        while True:
            message = self.next()
            if message["type"] == kind and all(message.get(name) == value for name, value in wanted.items()):
                return message

    @property
    def actions(self) -> list[str]:
        return [one["action"]["action_id"] for one in self.told if one["type"] == "agent_action"]


class Hall:
    """A house that is served, and those who watch it."""

    def __init__(self, house: ApiHouse, opened: ExitStack) -> None:
        self.house = house
        self.waiting = house.waits("nobody")  # an incident that nothing happens to by itself
        self._opened = opened
        house.agent.start()
        self.port = opened.enter_context(served(house.agent))

    def watch(self, path: str = "", since: int | None = None, **options: Any) -> Watcher:
        query = "" if since is None else f"?since={since}"
        address = f"ws://127.0.0.1:{self.port}/ws{path}{query}"
        return Watcher(self._opened.enter_context(connect(address, proxy=None, max_queue=None, **options)))

    def refused(self, path: str, **options: Any) -> tuple[int, str]:
        with pytest.raises(InvalidStatus) as error:
            self.watch(path, **options)
        answer = error.value.response
        return answer.status_code, json.loads(bytes(answer.body or b"") or b"{}").get("detail", "")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    house = ApiHouse(tmp_path / "data", sense_seconds=3600)
    with ExitStack() as opened:
        opened.callback(house.close)
        yield Hall(house, opened)


def everything(hall: Hall) -> list[str]:
    """What the log holds, in the words of the stream."""
    items = hall.house.http.get("/incidents?limit=500").json()["items"]
    found = []
    for one in items:
        events = hall.house.http.get(f"/incidents/{one['incident_id']}/events").json()["items"]
        found += [(event["at"], f"{one['incident_id']}:{event['version']}") for event in events]
    return [name for _, name in sorted(found)]


def test_a_healing_is_told_while_it_happens_from_the_signal_to_the_sums(hall: Hall) -> None:
    watcher = hall.watch()
    first = watcher.next()
    assert (first["type"], first["incidents_resolved"], first["avg_mttr"]) == ("performance_metrics", 0, None)
    incident_id = hall.house.post().json()["incident_id"]
    end = watcher.until("incident_status", status="RESOLVED")
    shown = hall.house.shown(incident_id)
    assert (end["resolution_time"], end["cost_savings"]) == (shown["seconds"], shown["cost_savings"])
    statuses = [one["status"] for one in watcher.told if one["type"] == "incident_status"]
    assert statuses == ["RECEIVED", "ANALYZING", "DECIDED", "EXECUTING", "VERIFYING", "RESOLVED"]
    sums = watcher.until("performance_metrics")
    assert (sums["incidents_resolved"], sums["success_rate"]) == (1, 1.0)
    assert sums["total_cost_savings"] == shown["cost_savings"]
    assert sums["avg_mttr"] == pytest.approx(shown["seconds"])
    assert sorted(watcher.actions) == sorted(name for name in everything(hall) if name.startswith(incident_id))


def test_whoever_comes_again_with_the_last_since_misses_nothing(hall: Hall) -> None:
    """Cut off after every single message, also between the two of one event."""
    watcher = hall.watch(since=0)
    hall.house.post()
    seen: list[str] = []
    since = 0
    for _ in range(60):
        watcher = hall.watch(since=since)
        message = watcher.next()
        while message["type"] not in {"agent_action", "incident_status"}:
            message = watcher.next()
        watcher.connection.close()
        since = message["since"]
        if message["type"] == "agent_action":
            seen.append(message["action"]["action_id"])
            if seen[-2:-1] == seen[-1:]:
                message = hall.watch(since=since).until("incident_status")
                since = message["since"]
        else:
            assert message["type"] == "incident_status"
        if message.get("status") == "RESOLVED":
            break
    wait_until(lambda: len(everything(hall)) >= len(set(seen)), "the log")
    assert sorted(set(seen)) == sorted(name for name in everything(hall) if name in set(seen))


def test_everything_from_the_beginning_is_everything_in_the_log(hall: Hall) -> None:
    hall.house.happens(hall.waiting, *[make.commented()] * 500)
    for number in range(30):
        hall.house.post(container_name=f"c{number}")
    wait_until(lambda: hall.house.http.get("/incidents?open=true").json()["total"] == 1, "the others to have ended", 30)
    expected = everything(hall)
    watcher = hall.watch(since=0)
    while len(set(watcher.actions)) < len(expected):
        watcher.next()
    assert sorted(watcher.actions) == sorted(expected)
    assert len(watcher.actions) == len(set(watcher.actions)) == len(expected)


def test_a_room_tells_one_incident_from_its_beginning_and_nothing_of_the_others(hall: Hall) -> None:
    waiting = hall.waiting
    room = hall.watch(f"/incidents/{waiting}")
    assert room.next()["action"]["action_id"] == f"{waiting}:1"
    room.until("incident_status", status="AWAITING_APPROVAL")
    hall.house.post()
    hall.house.http.post(f"/incidents/{waiting}/comments", json={"by": "ann", "comment": "I am on it."})
    said = room.until("agent_action")
    assert said["action"]["description"] == "ann says: I am on it."
    assert {one["incident_id"] for one in room.told} == {waiting}
    assert said["since"] == hall.house.shown(waiting)["version"]
    again = hall.watch(f"/incidents/{waiting}", since=said["since"] - 1)
    assert again.next()["action"]["action_id"] == said["action"]["action_id"]


def test_a_room_that_is_not_there_is_said_not_to_be(hall: Hall) -> None:
    assert hall.refused("/incidents/inc-9") == (404, "there is no incident inc-9")


@pytest.mark.parametrize("since", ["-1", "x", str(2**63)])
def test_a_since_that_is_no_place_is_refused(hall: Hall, since: str) -> None:
    assert hall.refused(f"?since={since}")[0] == 403


def test_a_since_of_another_store_begins_now(hall: Hall) -> None:
    watcher = hall.watch(since=10**9)
    hall.house.post()
    watcher.until("incident_status", status="RESOLVED")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_pages_of_other_sites_may_not_read_along(hall: Hall, origin: str) -> None:
    status, sentence = hall.refused("", origin=origin)
    assert status == 403
    assert "other sites" in sentence


def test_its_own_pages_and_those_of_the_dashboard_may(tmp_path: Path) -> None:
    house = ApiHouse(tmp_path / "data", dashboard_url="http://dash.example:8501/aegis")
    with ExitStack() as opened:
        opened.callback(house.close)
        hall = Hall(house, opened)
        for origin in (f"http://127.0.0.1:{hall.port}", "http://dash.example:8501"):
            assert hall.watch(origin=origin).next()["type"] == "performance_metrics"


def test_when_nothing_happens_a_heartbeat_says_that_the_connection_lives(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "HEARTBEAT_SECONDS", 0.05)
    watcher = hall.watch()
    beats = [watcher.until("heartbeat") for _ in range(3)]
    assert {beat["since"] for beat in beats} == {watcher.told[0]["since"]}


def test_more_followers_than_are_taken_are_told_to_come_again(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aegis_core.pipeline.live.MOST_FOLLOWERS", 2)
    watchers = [hall.watch() for _ in range(2)]
    for watcher in watchers:
        watcher.next()
    assert hall.refused("")[0] == 503
    watchers[0].connection.close()
    wait_until(lambda: not hall.house.agent.services.live.full, "a place")
    hall.watch().next()


def test_the_end_of_the_agent_is_told_with_a_code_that_says_so(hall: Hall) -> None:
    watcher = hall.watch()
    watcher.next()
    hall.house.agent.services.live.stop()
    with pytest.raises(ConnectionClosed) as closed:
        watcher.next()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1001


class Deaf:
    """A client that takes the connection and reads nothing; its buffers are small."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.connect(("127.0.0.1", port))
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        lines = [f"GET {path} HTTP/1.1", "Host: a", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self.socket.sendall("\r\n".join(lines).encode())


def test_a_slow_follower_is_dropped_and_holds_up_nobody(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SEND_SECONDS", 0.3)
    monkeypatch.setattr(api, "CLOSE_SECONDS", 0.1)
    long = make.commented("x" * 1_900)
    hall.house.happens(hall.waiting, *[long] * 4_000)
    quick = hall.watch()
    quick.next()
    live = hall.house.agent.services.live
    deaf = Deaf(hall.port, "/ws?since=0")
    wait_until(lambda: len(live._followers) == 2, "both to follow")
    begun = time.monotonic()
    healed = hall.house.post().json()["incident_id"]
    quick.until("incident_status", incident_id=healed, status="RESOLVED")
    assert time.monotonic() - begun < 5
    wait_until(lambda: len(live._followers) == 1, "the deaf one to be dropped", 20)
    deaf.socket.close()


def test_what_followers_say_means_nothing_and_breaks_nothing(hall: Hall) -> None:
    watcher = hall.watch()
    for said in ("hello", b"\x00\xff", json.dumps({"type": "approve"})):
        watcher.connection.send(said)
    hall.house.post()
    watcher.until("incident_status", status="RESOLVED")


def test_many_come_and_go_while_much_happens(hall: Hall) -> None:
    """Each of them gets the whole of what happened between its coming and the end, once and in order."""
    stop = threading.Event()

    def chatter() -> None:
        while not stop.is_set():
            hall.house.happens(hall.waiting, make.commented())

    talking = threading.Thread(target=chatter)
    talking.start()
    try:
        watchers = [hall.watch() for _ in range(20)]
        for watcher in watchers:
            while len(watcher.actions) < 20:
                watcher.next()
    finally:
        stop.set()
        talking.join()
    for watcher in watchers:
        versions = [int(name.rpartition(":")[2]) for name in watcher.actions]
        assert versions == list(range(versions[0], versions[0] + len(versions)))


def test_a_served_agent_ends_at_once_although_somebody_follows(tmp_path: Path) -> None:
    processes = tmp_path / "processes.toml"
    processes.write_text('[targets.idle]\ncommand = ["sleep", "600"]\nlabels = { "aegis.enable" = "true" }\n')
    agent = ServedAgent(tmp_path, {"AEGIS_RUNTIME": "process", "AEGIS_PROCESSES": str(processes)})
    agent.serve()
    try:
        with connect(f"ws://127.0.0.1:{agent.core}/ws", proxy=None) as connection:
            watcher = Watcher(connection)
            assert watcher.next()["type"] == "performance_metrics"
            reported = agent.report("nobody")
            watcher.until("incident_status", incident_id=reported, status="FAILED")
            begun = time.monotonic()
            agent.stop_agent()
            assert time.monotonic() - begun < 5
            with pytest.raises(ConnectionClosed) as closed:
                watcher.until("never")
            assert closed.value.rcvd
            assert closed.value.rcvd.code in {1001, 1012}
    finally:
        agent.stop_agent()
