"""A unix socket that leads to the real engine, and does to chosen calls what a bad day does.

    with FlakyEngine() as engine:
        engine.spoil(r"POST .*/restart", Fault.DROP_REPLY, times=1)
        DockerRuntime(engine.url)

It speaks HTTP just so far: one request a connection. `calls` keeps every request as "GET /containers/json", without
API version and query. With `shows`, a label, whoever lists the containers or listens to what happens to them is told
of no others: an agent that is tested beside others looks after its own test's containers only.
"""

import json
import re
import shutil
import socket
import socketserver
import tempfile
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode

REAL_ENGINE = "/var/run/docker.sock"
_IN_NO_SWARM = (b'"LocalNodeState":"active"', b'"LocalNodeState":"locked"')  # of the same length


class Fault(Enum):
    DROP_REPLY = "the engine does it, and its reply is lost"
    CUT = "the engine does it, and its reply ends in the middle of its body, or of its first line"
    RESET = "the connection breaks before the engine hears of it"
    HANG = "no reply, and the connection stays open until the proxy is closed"


class FlakyEngine(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, upstream: str = REAL_ENGINE, shows: str | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="flaky-"))  # short: the path of a socket has 107 bytes at most
        self.upstream = upstream
        self.url = f"unix://{self._folder}/docker.sock"
        self.calls: list[str] = []
        self.requests: list[str] = []  # the same with their queries
        self.shows = shows
        self.shows_swarm = False  # what an agent does in a swarm is not to depend on what other tests do just now
        self.closing = threading.Event()
        self._faults: list[tuple[re.Pattern[str], Fault | int, list[None]]] = []
        self._lock = threading.Lock()
        self._muted = threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(f"{self._folder}/docker.sock", _OneRequest)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def spoil(self, calls: str, fault: Fault | int, times: int = 1_000_000) -> None:
        """Do this to the next `times` calls that match, with their query or without; a number is an HTTP status that
        is answered instead."""
        with self._lock:
            self._faults.append((re.compile(calls), fault, [None] * times))

    def mend(self, calls: str | None = None) -> None:
        """Let everything through again; or only what was spoiled as these `calls`."""
        with self._lock:
            self._faults = [one for one in self._faults if calls is not None and one[0].pattern != calls]
        if calls is None:
            self._muted.clear()

    def mute(self) -> None:
        """Swallow whatever the engine says from now on, and keep the connections open, as a dead peer does."""
        self._muted.set()

    @property
    def muted(self) -> bool:
        return self._muted.is_set()

    def hang_up(self) -> None:
        """Break every connection that is open."""
        for connection in list(self.connections):
            with suppress(OSError):  # it is over already
                connection.shutdown(socket.SHUT_RDWR)

    def fault_for(self, call: str, query: str) -> Fault | int | None:
        with self._lock:
            self.calls.append(call)
            self.requests.append(f"{call}?{query}" if query else call)
            for pattern, fault, left in self._faults:
                if left and (pattern.search(call) or pattern.search(f"{call}?{query}")):
                    left.pop()
                    return fault
        return None

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self


class _OneRequest(socketserver.StreamRequestHandler):
    server: FlakyEngine

    def handle(self) -> None:
        head = b"".join(iter(lambda: self.rfile.readline().replace(b"\r\n", b"\n"), b"\n")).decode("latin-1")
        if not head:
            return
        length = re.search(r"(?im)^content-length: *(\d+)", head)
        body = self.rfile.read(int(length[1])) if length else b""
        method, target = head.split(" ")[:2]
        self.server.connections.add(self.request)
        path, _, query = re.sub(r"^/v[0-9.]+(?=/)", "", target).partition("?")
        fault = self.server.fault_for(f"{method} {path}", query)
        if isinstance(fault, int):
            answer = b'{"message":"made up by the flaky engine"}'
            head_lines = b"HTTP/1.1 %d Made Up\r\nConnection: close\r\nContent-Length: %d" % (fault, len(answer))
            self._say(head_lines + b"\r\n\r\n" + answer)
        elif fault is Fault.HANG:
            self.server.closing.wait()
        elif fault is not Fault.RESET:
            hides = path.endswith("/info") and not self.server.shows_swarm
            self._relay(self._passed_on(head), body, fault, hides)

    def _passed_on(self, head: str) -> str:
        """The head as the engine gets it: one request a connection, and only about what is shown."""
        target = head.split(" ", 2)[1]
        path, _, query = target.partition("?")
        if self.server.shows and path.endswith(("/containers/json", "/events", "/services")):
            asked = dict(parse_qsl(query))
            filters = {**json.loads(asked.get("filters", "{}")), "label": [self.server.shows]}
            head = head.replace(target, f"{path}?{urlencode({**asked, 'filters': json.dumps(filters)})}", 1)
        return re.sub(r"(?im)^connection:.*\n", "", head) + "Connection: close\n\n"

    def finish(self) -> None:
        self.server.connections.discard(self.request)
        super().finish()

    def _relay(self, head: str, body: bytes, fault: Fault | None, hides: bool) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.server.upstream)
            engine.sendall(head.replace("\n", "\r\n").encode("latin-1") + body)
            parts = iter(lambda: engine.recv(65_536), b"")
            for data in [b"".join(parts).replace(*_IN_NO_SWARM)] if hides else parts:
                if fault is Fault.CUT:
                    end_of_head = data.find(b"\r\n\r\n") + 4
                    self._say(data[: (end_of_head + len(data)) // 2] if len(data) > end_of_head else data[:10])
                    return
                if fault is None and not self.server.muted and not self._say(data):
                    return

    def _say(self, data: bytes) -> bool:
        try:
            self.wfile.write(data)
        except OSError:  # the client has given up
            return False
        return True
