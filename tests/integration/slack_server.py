"""A local server that speaks the wire format of Slack's incoming webhooks, in its failures too.

It takes what Slack takes and refuses what Slack refuses, with Slack's words: `ok`, `no_text`, `invalid_payload`,
`invalid_blocks`, `no_service`. On demand it limits the rate, breaks, hangs, hangs up, or is not there at all.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple, Self

PATH: Final = "/services/T0AEGIS/B0TEST/s3cr3tWebhookToken"
TEXT_LIMIT: Final = 40_000
_TEXT_LIMITS: Final = {
    "header": 150, "section": 3_000, "context": 3_000, "field": 2_000, "label": 2_000, "button": 75, "title": 100,
    "confirm": 300, "answer": 30,
}  # fmt: skip


class Answer(NamedTuple):
    """An answer instead of the usual one. `hang`: none until the server is released; `status` 0: hangs up."""

    status: int = 200
    body: str = "ok"
    headers: Mapping[str, str] = {}
    hang: bool = False


class SlackServer:
    """Starts on a free port of 127.0.0.1, and again on the same one after `stop`."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []  # posted into the channel, in order
        self.requests: list[tuple[float, dict[str, Any]]] = []  # everything that came: monotonic seconds, body
        self.answer: Callable[[int], Answer | None] = lambda _: None  # by the number of the request, from 1
        self._changed = threading.Condition()
        self._release = threading.Event()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{PATH}"

    def start(self) -> Self:
        outer = self

        class Handler(_Handler):
            slack = outer

        self._release.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Refuse connections from now on."""
        self.release()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def release(self) -> None:
        """Hang up on whoever was left hanging."""
        self._release.set()

    def always(self, status: int, body: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: Answer(status, body, named)

    def always_hang(self) -> None:
        self.answer = lambda _: Answer(hang=True)

    def work(self) -> None:
        self.answer = lambda _: None

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, seconds), f"{len(self.requests)} requests, {self.texts}"

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages]

    def taken(self, path: str, content_type: str, raw: bytes) -> Answer | None:
        """Take a request, and say what to answer."""
        with self._changed:
            payload = _parsed(raw)
            self.requests.append((time.monotonic(), payload if payload is not None else {}))
            answer = self.answer(len(self.requests)) or _judged(path, content_type, payload)
            if answer == Answer() and payload is not None:
                self.messages.append(payload)
            self._changed.notify_all()
        if answer.hang:
            self._release.wait(60)
            return None
        return answer if answer.status else None


class _Handler(BaseHTTPRequestHandler):
    slack: SlackServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.slack.taken(self.path, self.headers.get("Content-Type", ""), raw)
        self.close_connection = True
        if answer is None:
            return
        self.send_response(answer.status)
        for name, value in {"Content-Type": "text/html", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body.encode())))
        self.end_headers()
        self.wfile.write(answer.body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(raw)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _judged(path: str, content_type: str, payload: dict[str, Any] | None) -> Answer:
    if path != PATH:
        return Answer(404, "no_service")
    if payload is None or not content_type.startswith("application/json"):
        return Answer(400, "invalid_payload")
    if len(payload.get("text", "")) > TEXT_LIMIT:
        return Answer(400, "msg_too_long")
    if not payload.get("text") and not payload.get("blocks"):
        return Answer(400, "no_text")
    faults = block_faults(payload.get("blocks", []))
    return Answer(400, "invalid_blocks") if faults else Answer()


def block_faults(blocks: list[dict[str, Any]]) -> list[str]:
    """Say what Slack would not take about blocks, by its documentation of Block Kit."""
    faults = ["more than 50 blocks"] if len(blocks) > 50 else []
    for block in blocks:
        kind = block.get("type", "")
        if kind == "header":
            faults += _text_faults(block["text"], "header", {"plain_text"})
        elif kind == "section":
            texts, fields = [block["text"]] if "text" in block else [], block.get("fields", [])
            faults += [] if texts or fields else ["a section without text and fields"]
            faults += ["more than 10 fields"] if len(fields) > 10 else []
            faults += [fault for text in texts for fault in _text_faults(text, "section")]
            faults += [fault for text in fields for fault in _text_faults(text, "field")]
        elif kind == "context":
            elements = block.get("elements", [])
            faults += [] if 1 <= len(elements) <= 10 else ["a context block has 1 to 10 elements"]
            faults += [fault for text in elements for fault in _text_faults(text, "context")]
        elif kind == "rich_text":
            faults += _rich_text_faults(block)
        elif kind == "actions":
            faults += [fault for element in block["elements"] for fault in _button_faults(element)]
        elif kind == "input":
            faults += _text_faults(block["label"], "label", {"plain_text"})
            faults += [] if block["element"].get("action_id") else ["an input without an action id"]
        elif kind != "divider":
            faults.append(f"unknown block {kind!r}")
    return faults


def _text_faults(text: dict[str, Any], place: str, kinds: frozenset[str] | set[str] = frozenset()) -> list[str]:
    faults = []
    if text.get("type") not in (kinds or {"plain_text", "mrkdwn"}):
        faults.append(f"{place}: a text of type {text.get('type')!r}")
    if not 1 <= len(text.get("text", "")) <= _TEXT_LIMITS[place]:
        faults.append(f"{place}: {len(text.get('text', ''))} characters")
    return faults


def _button_faults(button: dict[str, Any]) -> list[str]:
    faults = [] if button.get("type") == "button" else [f"an element of type {button.get('type')!r}"]
    faults += _text_faults(button["text"], "button", {"plain_text"})
    faults += [] if len(button.get("value", "")) <= 2_000 else ["a value that is too long"]
    faults += [] if button.get("style", "primary") in {"primary", "danger"} else ["an unknown style"]
    confirm = button.get("confirm")
    if confirm:
        faults += _text_faults(confirm["title"], "title", {"plain_text"}) + _text_faults(confirm["text"], "confirm")
        faults += _text_faults(confirm["confirm"], "answer", {"plain_text"})
        faults += _text_faults(confirm["deny"], "answer", {"plain_text"})
    return faults


def _rich_text_faults(block: dict[str, Any]) -> list[str]:
    faults = []
    for element in block.get("elements", []):
        if element.get("type") not in {"rich_text_section", "rich_text_preformatted"}:
            faults.append(f"rich text: element {element.get('type')!r}")
        for part in element.get("elements", []):
            if part.get("type") != "text" or not part.get("text"):
                faults.append("rich text: an empty or unknown part")
    return faults


def mentions(payload: dict[str, Any]) -> list[str]:
    """Find whatever Slack would turn into a mention of somebody, anywhere in a message."""
    text = json.dumps(payload, ensure_ascii=False)
    return re.findall(r"@(?:here|channel|everyone|group)\b|<[!@#](?!date\^)[^>]*>", text, re.IGNORECASE)
