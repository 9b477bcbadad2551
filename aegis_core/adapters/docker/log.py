"""The engine's way of sending a log, taken apart. Pure."""

import struct
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from aegis_core.domain.logs import LINE_LIMIT, clean_lines

_HEADER: Final = struct.Struct(">BxxxL")  # the stream (1 stdout, 2 stderr), and how many bytes follow
_ONE_STREAM: Final = 1


def frames(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Split what the engine sends into (stream, bytes); an incomplete frame at the end is left out."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        start = 0
        while len(buffer) - start >= _HEADER.size:
            stream, length = _HEADER.unpack_from(buffer, start)
            end = start + _HEADER.size + length
            if len(buffer) < end:
                break
            yield stream, bytes(buffer[start + _HEADER.size : end])
            start = end
        del buffer[:start]


def newest_lines(chunks: Iterable[bytes], terminal: bool, most: int) -> tuple[str, ...]:
    """Return the last `most` clean lines, oldest first.

    With a terminal the engine sends the plain bytes, else frames of two streams, whose lines may be cut anywhere.
    """
    lines: deque[bytes] = deque(maxlen=most)
    open_lines: dict[int, bytearray] = {}
    for stream, data in ((_ONE_STREAM, chunk) for chunk in chunks) if terminal else frames(chunks):
        *ended, rest = data.split(b"\n")
        for piece in ended:
            lines.append(_cut(open_lines.pop(stream, bytearray()), piece))
        open_lines[stream] = bytearray(_cut(open_lines.get(stream, bytearray()), rest))
    lines.extend(bytes(line) for line in open_lines.values() if line)
    return clean_lines((line.decode("utf-8", "replace") for line in lines), most)


def _cut(beginning: bytearray, piece: bytes) -> bytes:
    """Put a line together, no longer than is kept of it: a line without an end must not fill the memory."""
    return bytes(beginning + piece[: max(0, LINE_LIMIT - len(beginning))])
