"""A subscription: lines that come in pieces, and a reader that nobody can hold up."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from aegis_core.adapters.docker.stream import EventStream, whole_lines

BEYOND_TIME = b'{"Action": "die", "Actor": {"ID": "1"}, "timeNano": 9e99}\n'


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"o", b"ne\nt", b"wo", b"\n"], [b"one", b"two"]),
        ([b"one\n\n\ntwo\n"], [b"one", b"two"]),
        ([b"one\nhalf"], [b"one"]),
        ([b"x" * 6, b"x" * 6, b"x\nshort\n"], [b"short"]),  # longer than 10 bytes
        ([b"x" * 6, b"x" * 6, b"x", b"\n", b"short\n"], [b"short"]),
        ([], []),
    ],
)
def test_lines_that_come_in_pieces_are_put_together_and_endless_ones_left_out(
    chunks: list[bytes], lines: list[bytes]
) -> None:
    assert list(whole_lines(chunks, most=10)) == lines


class Answer:
    """An answer that sends so many events, and then holds the line until its connection is shut down."""

    def __init__(self, wire: socket.socket, count: int, *more: bytes) -> None:
        self._wire, self._count, self._more = wire, count, more
        self.read = threading.Event()
        self.closed = False

    def iter_content(self, size: int) -> Iterator[bytes]:
        for number in range(self._count):
            event = {"Action": "die", "Actor": {"ID": str(number), "Attributes": {}}, "timeNano": number}
            yield json.dumps(event).encode() + b"\n"
        yield from self._more
        self.read.set()
        self._wire.recv(1)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def wire() -> Iterator[socket.socket]:
    ours, engines = socket.socketpair()
    with ours, engines:
        yield ours


def test_events_are_read_although_nobody_takes_them_and_too_many_are_told_as_lost(wire: socket.socket) -> None:
    answer = Answer(wire, 10_000)
    with EventStream(answer, wire) as stream:  # type: ignore[arg-type]
        assert answer.read.wait(20)

        assert stream.feed.lost()
        assert not stream.feed.lost(), "it is told once"
        left = 0
        while stream.feed.take(0):
            left += 1
        assert 0 < left < 10_000


def test_a_reader_that_hears_nothing_ends_when_the_stream_is_closed(wire: socket.socket) -> None:
    answer = Answer(wire, 1)
    with EventStream(answer, wire) as stream:  # type: ignore[arg-type]
        happening = stream.feed.take(20)
        assert happening
        assert happening.container == "0"
        assert not stream.feed.over

    assert stream.feed.over
    assert answer.closed


@pytest.mark.parametrize(
    "nonsense", [b"not JSON\n", b"[]\n", b"{}\n", b'{"Action": "die"}\n', b'"\xff"\n', BEYOND_TIME]
)
def test_what_no_engine_says_ends_the_stream(wire: socket.socket, nonsense: bytes) -> None:
    with EventStream(Answer(wire, 1, nonsense), wire) as stream:  # type: ignore[arg-type]
        assert stream.feed.take(20)
        assert stream.feed.take(20) is None
        assert stream.feed.over
