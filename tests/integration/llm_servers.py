"""Local servers that speak the wire format of OpenAI-compatible endpoints and of Ollama, in their failures too."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol

PROMPT_TOKENS = 1_400  # what each server says that its model has read
ANSWER_TOKENS = 100
ANSWER: dict[str, Any] = {
    "evidence": ["E1"],
    "root_cause": "The cache grows without a bound.",
    "category": "oom",
    "justification": "A restart empties it.",
    "action": "RESTART",
    "confidence": 0.9,
}


def answer(**changed: object) -> str:
    """A good answer, with changes."""
    return json.dumps({**ANSWER, **changed})


class Recorded(NamedTuple):
    """One request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Exchange(NamedTuple):
    """What a reply works with: the connection, and how this server wraps what its model says."""

    handler: BaseHTTPRequestHandler
    wrap: Callable[[object], bytes]
    closing: threading.Event

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.handler.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.send_header("content-length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)


Reply = Callable[[Exchange], None]


def says(content: object) -> Reply:
    """The model answers with this content."""
    return lambda exchange: exchange.send(200, exchange.wrap(content))


def fails(status: int, message: str = "it failed", **headers: str) -> Reply:
    """The server answers with an error."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.send(status, body, named)


def sends(body: bytes, content_type: str = "application/json", status: int = 200, **headers: str) -> Reply:
    """The server answers with these bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.send(status, body, {"content-type": content_type, **named})


def hangs(exchange: Exchange) -> None:
    """The server takes the request and says nothing."""
    exchange.closing.wait()


def hangs_up(exchange: Exchange) -> None:
    """The server closes the connection without an answer."""
    exchange.handler.close_connection = True


def drips(exchange: Exchange) -> None:
    """The body comes a byte at a time and never ends."""
    exchange.handler.send_response(200)
    exchange.handler.send_header("content-type", "application/json")
    exchange.handler.end_headers()
    with suppress(OSError):
        while not exchange.closing.wait(0.05):
            exchange.handler.wfile.write(b" ")
            exchange.handler.wfile.flush()


def drips_headers(exchange: Exchange) -> None:
    """The headers come a byte at a time and never end."""
    with suppress(OSError):
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not exchange.closing.wait(0.05):
            exchange.handler.wfile.write(b"x")
            exchange.handler.wfile.flush()


def floods(exchange: Exchange) -> None:
    """The model answers with 10 MB."""
    with suppress(OSError):
        says("x" * 10 * 2**20)(exchange)


class Server(Protocol):
    """A server that is running: where, what it was asked, and what it replies (the last reply is repeated)."""

    url: str
    requests: list[Recorded]
    script: list[Reply]


class _Running:
    def __init__(self, url: str, script: list[Reply]) -> None:
        self.url = url
        self.requests: list[Recorded] = []
        self.script = script


def _serving(script: tuple[Reply, ...], wrap: Callable[[object], bytes], tags: bytes | None) -> Iterator[Server]:
    lock, closing = threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

        def do_GET(self) -> None:
            if tags is None:
                fails(404)(Exchange(self, wrap, closing))
            else:
                Exchange(self, wrap, closing).send(200, tags)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with lock:
                server.requests.append(Recorded(self.path, dict(self.headers), body))
                reply = server.script.pop(0) if len(server.script) > 1 else server.script[0]
            reply(Exchange(self, wrap, closing))

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that go away are part of the tests
    server = _Running(f"http://127.0.0.1:{http.server_address[1]}", list(script))
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        closing.set()
        http.shutdown()
        http.server_close()
        thread.join()


def _completion(content: object) -> bytes:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": ANSWER_TOKENS, "total_tokens": 1500}
    reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return json.dumps(reply).encode()


def _chat(content: object) -> bytes:
    message = {"role": "assistant", "content": content}
    reply = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True}
    return json.dumps({**reply, "prompt_eval_count": PROMPT_TOKENS, "eval_count": ANSWER_TOKENS}).encode()


@contextmanager
def openai_server(*script: Reply) -> Iterator[Server]:
    """An OpenAI-compatible endpoint; its base URL is `url + "/v1"`."""
    yield from _serving(script or (says(answer()),), _completion, None)


@contextmanager
def ollama_server(*script: Reply, tags: bytes = b'{"models": []}') -> Iterator[Server]:
    """An Ollama server, which lists its models by `tags`."""
    yield from _serving(script or (says(answer()),), _chat, tags)
