"""A local server that speaks Slack's Socket Mode: apps.connections.open, envelopes over a WebSocket, response URLs.

It takes acknowledgements, and hangs up or asks to be connected anew on demand, as Slack does.
"""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Final, Self
from urllib.parse import parse_qs

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

TOKEN: Final = "xapp-1-A0TEST-123-of-the-test"


class SlackSocketServer:
    """Starts on free ports of 127.0.0.1. `posted` is what came to response URLs, by the number of the click."""

    def __init__(self) -> None:
        self.opened: list[str] = []  # the tokens that connections were asked for with
        self.refuse = ""  # an error that apps.connections.open answers with
        self.acknowledged: list[str] = []
        self.posted: list[tuple[int, dict[str, Any]]] = []
        self._connections: list[ServerConnection] = []
        self._changed = threading.Condition()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        outer = self

        class Handler(_Handler):
            slack = outer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._socket: Server = serve(self._followed, "127.0.0.1", 0)
        for forever in (lambda: self._http.serve_forever(0.02), self._socket.serve_forever):
            threading.Thread(target=forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown()
        self._http.shutdown()
        self._http.server_close()

    @property
    def api(self) -> str:
        """The base URL of the Web API."""
        return f"http://127.0.0.1:{self._http.server_port}/api/"

    @property
    def connected(self) -> bool:
        return bool(self._connections)

    def click(self, message: dict[str, Any], name: str, user: str = "ann", comment: str | None = None) -> int:
        """Somebody clicks the button of this name under a message; returns the number of the click."""
        number = next(self._numbers)
        [actions] = [block for block in message["blocks"] if block["type"] == "actions"]
        [button] = [one for one in actions["elements"] if one["text"]["text"] == name]
        said = {"type": "plain_text_input", "value": comment}
        payload = {
            "type": "block_actions",
            "user": {"id": f"U0{user.upper()}", "username": user, "name": user, "team_id": "T0TEST"},
            "container": {"type": "message"},
            "message": {"text": message["text"], "blocks": message["blocks"], "ts": "1.2"},
            "state": {"values": {"aegis_comment": {"aegis_comment": said}}},
            "response_url": f"http://127.0.0.1:{self._http.server_port}/actions/{number}",
            "actions": [{**button, "action_ts": str(time.time())}],
        }
        self.send({"envelope_id": f"e{number}", "type": "interactive", "payload": payload})
        return number

    def send(self, envelope: dict[str, Any]) -> None:
        """Send an envelope over the newest connection."""
        self._connections[-1].send(json.dumps({"accepts_response_payload": False, **envelope}))

    def hang_up(self) -> None:
        for connection in list(self._connections):
            connection.close()

    def wait_for(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(condition()), seconds), (self.opened, self.posted)

    def answers(self, number: int) -> list[dict[str, Any]]:
        """What was posted to the response URL of a click, in order."""
        return [body for click, body in list(self.posted) if click == number]

    def _followed(self, connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0TEST"}}))
        with self._changed:
            self._connections.append(connection)
            self._changed.notify_all()
        try:
            for frame in connection:
                with self._changed:
                    self.acknowledged.append(json.loads(frame)["envelope_id"])
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                self._connections.remove(connection)
                self._changed.notify_all()

    def asked(self, token: str) -> dict[str, Any]:
        with self._changed:
            self.opened.append(token)
            self._changed.notify_all()
        if self.refuse:
            return {"ok": False, "error": self.refuse}
        if token != TOKEN:
            return {"ok": False, "error": "invalid_auth"}
        port = self._socket.socket.getsockname()[1]
        return {"ok": True, "url": f"ws://127.0.0.1:{port}/link/?ticket=s3cr3t-ticket&app_id=A0TEST"}

    def took(self, number: int, body: dict[str, Any]) -> None:
        with self._changed:
            self.posted.append((number, body))
            self._changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    slack: SlackSocketServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/apps.connections.open":
            self._send("application/json", json.dumps(self.slack.asked(self._token(raw))))
        elif self.path.startswith("/actions/"):
            self.slack.took(int(self.path.rsplit("/", 1)[-1]), json.loads(raw))
            self._send("text/html", "ok")

    def _token(self, raw: bytes) -> str:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return bearer or parse_qs(raw.decode()).get("token", [""])[0]

    def _send(self, kind: str, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass
