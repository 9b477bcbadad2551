"""One subscription to the events of the engine, read by a thread of its own.

The engine drops what a subscriber does not read in time, and says nothing. So the events are read as they come, however
long whoever asked for them takes over one.
"""

import json
import logging
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, Self

import requests

from aegis_core.adapters.feed import Feed

from .past import Happening, happening_of

CHUNK: Final = 65_536
_MOST_LINE_BYTES: Final = 4 * 1024 * 1024  # an event carries all labels of its container; a longer one is left out
_END_SECONDS: Final = 1.0
_NONSENSE: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError)  # whoever speaks is no engine

_log = logging.getLogger(__name__)


def whole_lines(chunks: Iterable[bytes], most: int = _MOST_LINE_BYTES) -> Iterator[bytes]:
    """Put lines together that were cut anywhere; one that is longer than `most` bytes is left out."""
    line, too_long = bytearray(), False
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            if not too_long and line + piece:
                yield bytes(line + piece)
            line.clear()
            too_long = False
        too_long = too_long or len(line) + len(rest) > most
        line = bytearray() if too_long else line + rest


class EventStream:
    """The happenings of a subscription, in its `feed`, which ends when the connection does. Close it after use."""

    def __init__(self, response: requests.Response, wire: socket.socket) -> None:
        self.feed: Feed[Happening] = Feed()
        self._response = response
        self._wire = wire
        self._reader = threading.Thread(target=self._read, name="docker-events", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # it has been closed by the other side
            self._wire.shutdown(socket.SHUT_RDWR)
        self._reader.join(_END_SECONDS)

    def _read(self) -> None:
        try:
            for line in whole_lines(self._response.iter_content(CHUNK)):
                self.feed.put(happening_of(json.loads(line)))
        except (requests.RequestException, OSError, *_NONSENSE) as error:
            _log.debug("the stream of events broke: %s", error)
        finally:
            self._response.close()
            self.feed.close()
