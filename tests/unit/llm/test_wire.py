"""The transport around the SDKs: little goes out, and only so much comes in, for so long."""

from collections.abc import Iterator
from types import ModuleType

import httpx
import httpx2
import pytest

from aegis_core.adapters.llm.wire import MOST_BYTES, Guard
from aegis_core.errors import AnswerInvalid, BrainRefused, BrainUnavailable


class Endless(httpx2.SyncByteStream, httpx.SyncByteStream):
    """A body without an end, that counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.taken += 1_000
            yield b"x" * 1_000

    def close(self) -> None:
        self.closed = True


class Stub(httpx2.BaseTransport, httpx.BaseTransport):
    """Answers every request with the same body, and keeps the request."""

    def __init__(self, lib: ModuleType, body: Endless, **headers: str) -> None:
        self.lib, self.body, self.headers = lib, body, headers
        self.requests: list[httpx2.Request | httpx.Request] = []

    def handle_request(self, request: httpx2.Request | httpx.Request) -> httpx2.Response | httpx.Response:
        self.requests.append(request)
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return self.lib.Response(200, headers=headers, stream=self.body)


LIBRARIES = pytest.mark.parametrize("lib", [httpx2, httpx], ids=["httpx2", "httpx"])


@LIBRARIES
def test_a_body_without_an_end_is_not_read_beyond_the_bound(lib: ModuleType) -> None:
    body = Endless()
    client = lib.Client(transport=Guard(Stub(lib, body), 5, lambda: 0.0))
    with pytest.raises(AnswerInvalid, match="256 KiB"):
        client.get("http://model/")
    assert body.taken <= MOST_BYTES + 1_000
    assert body.closed


@LIBRARIES
def test_a_body_that_comes_too_slowly_is_left(lib: ModuleType) -> None:
    body, ticks = Endless(), iter(range(0, 1_000))
    client = lib.Client(transport=Guard(Stub(lib, body), 5, lambda: float(next(ticks))))
    with pytest.raises(BrainUnavailable, match="slowly"):
        client.get("http://model/")
    assert body.taken == 6_000
    assert body.closed


@LIBRARIES
def test_a_compressed_body_is_not_unpacked(lib: ModuleType) -> None:
    body = Endless()
    client = lib.Client(transport=Guard(Stub(lib, body, content_encoding="gzip"), 5, lambda: 0.0))
    with pytest.raises(BrainRefused, match="compress"):
        client.get("http://model/")
    assert body.taken == 0
    assert body.closed


@LIBRARIES
def test_only_our_own_headers_and_our_key_go_out(lib: ModuleType) -> None:
    stub = Stub(lib, Endless())
    client = lib.Client(transport=Guard(stub, 5, lambda: 0.0, authorization="Bearer ours"))
    given = {"x-of-the-sdk": "1", "authorization": "Bearer theirs", "cookie": "a=b", "accept-encoding": "gzip"}
    with pytest.raises(AnswerInvalid):
        client.get("http://model/", headers=given)
    sent = stub.requests[0].headers
    assert sent["authorization"] == "Bearer ours"
    assert sent["accept-encoding"] == "identity"
    assert not {"x-of-the-sdk", "cookie"} & set(sent)
