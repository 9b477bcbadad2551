"""What leaves for a model's server, and how much may come back: a transport around the one of the SDK."""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import httpx
import httpx2

from aegis_core.errors import AnswerInvalid, BrainRefused, BrainUnavailable

MOST_BYTES: Final = 256 * 2**10  # of one response, unless said otherwise; an answer has about 1 KiB
# The SDKs add headers out of the environment (organisation, keys, custom ones) and about the machine: none of it goes.
_HEADERS: Final = frozenset(
    {"host", "accept", "connection", "content-type", "content-length", "user-agent", "transfer-encoding"}
)
R = TypeVar("R")


class Guard(httpx2.BaseTransport, httpx.BaseTransport):
    """Lets only our own headers out, and at most `most_bytes` in at most `seconds` back in.

    The openai SDK speaks through httpx2 and the ollama SDK through httpx; both take this transport.
    Raises AnswerInvalid, BrainUnavailable, BrainRefused: the SDKs let them pass.
    """

    def __init__(
        self,
        inner: Any,
        seconds: float,
        monotonic: Callable[[], float],
        authorization: str = "",
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._inner = inner
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._monotonic = monotonic
        self._authorization = authorization

    def handle_request(self, request: Any) -> Any:
        """Send one request; the body of the response is read under the limits."""
        headers = {name: value for name, value in request.headers.items() if name.lower() in _HEADERS}
        headers["accept-encoding"] = "identity"  # what is not compressed cannot grow when it is unpacked
        if self._authorization:
            headers["authorization"] = self._authorization
        # A copy: the openai SDK looks for marks of its own among the headers of the original.
        bare = type(request)(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        until = self._monotonic() + self._seconds
        response = self._inner.handle_request(bare)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise BrainRefused("the server compresses its answers although it was asked not to")
        response.stream = _Bounded(response.stream, until, self._monotonic, self._most_bytes)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _Bounded(httpx2.SyncByteStream, httpx.SyncByteStream):
    def __init__(self, inner: Any, until: float, monotonic: Callable[[], float], most_bytes: int) -> None:
        self._inner = inner
        self._most_bytes = most_bytes
        self._until = until
        self._monotonic = monotonic

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            if size > self._most_bytes:
                raise AnswerInvalid(f"it is larger than {self._most_bytes // 1024} KiB.")
            if self._monotonic() > self._until:
                raise BrainUnavailable("the answer came too slowly")
            yield chunk

    def close(self) -> None:
        self._inner.close()
