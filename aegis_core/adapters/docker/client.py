"""The one connection to the Docker engine, and the one place where its errors become ours."""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import docker
import requests
import requests.adapters
from docker.errors import APIError, DockerException, NotFound
from docker.transport import UnixHTTPAdapter

from aegis_core.domain.logs import clean_line
from aegis_core.errors import RuntimeAway, RuntimeProblem, RuntimeUnavailable, TargetGone

POOL_SIZE: Final = 128  # idle connections that are kept: more than there are workers
_DEFAULT_SOCKET: Final = "unix:///var/run/docker.sock"
_CHUNK: Final = 65_536
_MOST_EVENT_BYTES: Final = 4 * 1024 * 1024  # the engine keeps 256 events; this is ten times what they come to
_REFUSED: Final = frozenset({400, 401, 403, 405, 406, 501})  # the same call will never succeed


class _OneUnixPool(UnixHTTPAdapter):
    """Keeps connections for all URLs together.

    The SDK keeps a pool for each of the last 25 URLs, so that with more containers than that no connection is ever
    used twice, and a pool may be closed under another thread's feet.
    """

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ARG002 - the SDK's signature
        return super().get_connection("one pool")


class Engine(docker.APIClient):
    """The SDK's client: pooled for many threads, API version negotiated, and streams that keep to the time limit."""

    def __init__(self, base_url: str | None, timeout: int) -> None:
        super().__init__(base_url=base_url, version="auto", timeout=timeout, max_pool_size=POOL_SIZE)
        if self.base_url.startswith("http+docker:"):
            self._share_pool()
        else:
            for scheme in ("http://", "https://"):
                self.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=POOL_SIZE))

    def _share_pool(self) -> None:
        former = self.get_adapter(self.base_url)
        if not isinstance(former, UnixHTTPAdapter):  # a Windows pipe or SSH: left as the SDK made it
            return
        self.mount("http+docker://", _OneUnixPool(f"http+unix://{former.socket_path}", self.timeout, 1, POOL_SIZE))
        former.close()
        self.trust_env = False  # no proxy and no .netrc leads to a local socket; looking for them takes time

    def update(self, container: str, changes: Mapping[str, Any]) -> None:
        """Change limits or the restart policy of a container; the SDK knows no `NanoCpus`."""
        url = self._url("/containers/{0}/update", container)  # type: ignore[attr-defined] # left out of the stubs
        self._result(self._post_json(url, data=changes), True)  # type: ignore[attr-defined]

    def join_network(self, network: str, container: str, endpoint: Mapping[str, Any]) -> None:
        """Connect a container to a network, with what `docker inspect` tells of an endpoint."""
        url = self._url("/networks/{0}/connect", network)  # type: ignore[attr-defined]
        data = {"Container": container, "EndpointConfig": endpoint}
        self._raise_for_status(self._post_json(url, data=data))  # type: ignore[attr-defined]

    def redefine_service(self, service: str, version: int, spec: Mapping[str, Any], *, back: bool) -> None:
        """Replace what a service is to be, if it still has this version; `back`: by what it was to be before.

        The SDK's own call makes a spec out of arguments, and leaves out what it does not know.
        """
        url = self._url("/services/{0}/update", service)  # type: ignore[attr-defined]
        params = {"version": version, **({"rollback": "previous"} if back else {})}
        self._result(self._post_json(url, data=spec, params=params), True)  # type: ignore[attr-defined]

    def past_events(self, since: datetime, until: datetime, filters: Mapping[str, Sequence[str]]) -> list[Any]:
        """Return the events between two moments that the engine still remembers, oldest first, as it sends them."""
        params = {"since": _stamp(since), "until": _stamp(until), "filters": json.dumps(filters)}
        body = b"".join(self._body("/events", params, _MOST_EVENT_BYTES))
        return [json.loads(line) for line in body.splitlines() if line.strip()]

    def live_events(
        self, since: datetime, filters: Mapping[str, Sequence[str]], silence: float
    ) -> tuple[requests.Response, socket.socket]:
        """Subscribe to the events from a moment on; returns the answer that they come in, and its connection.

        The answer breaks after a silence of this many seconds: only so it shows that the other side is dead.
        """
        params = {"since": _stamp(since), "filters": json.dumps(filters)}
        url = self._url("/events")  # type: ignore[attr-defined]
        response = self._get(url, params=params, stream=True)  # type: ignore[attr-defined]
        self._raise_for_status(response)  # type: ignore[attr-defined]
        if response.raw.closed:
            raise requests.ConnectionError("the answer was empty")
        stream = self._get_raw_response_socket(response)  # type: ignore[attr-defined]
        wire: socket.socket = getattr(stream, "_sock", stream)
        wire.settimeout(silence)
        return response, wire

    def log_bytes(self, container: str, tail: int, since: datetime | None, most: int) -> Iterator[bytes]:
        """Yield the end of a container's log as the engine sends it, at most about `most` bytes. Never follows."""
        return self._body(f"/containers/{container}/logs", _log_params(tail, since), most)

    def service_log_bytes(self, service: str, tail: int, since: datetime | None, most: int) -> Iterator[bytes]:
        """Yield the ends of the logs of all tasks of a service, each line with its time before it, in no order."""
        return self._body(f"/services/{service}/logs", {**_log_params(tail, since), "timestamps": "1"}, most)

    def _body(self, path: str, params: Mapping[str, str], most: int) -> Iterator[bytes]:
        # The SDK's own streams wait without a limit and end silently when the connection breaks.
        url = self._url(path)  # type: ignore[attr-defined] # the stubs leave out what is for subclasses
        with self._get(url, params=params, stream=True) as response:  # type: ignore[attr-defined]
            self._raise_for_status(response)  # type: ignore[attr-defined]
            read = 0
            for chunk in response.iter_content(_CHUNK):
                yield chunk
                read += len(chunk)
                if read >= most:
                    return


def connect(base_url: str | None, timeout: int) -> Engine:
    """Connect to the engine at a `unix://` or `tcp://` URL (None: the usual socket).

    `timeout` is in whole seconds, for each answer. Raises RuntimeUnavailable, with what can be done about it.
    """
    where = base_url or _DEFAULT_SOCKET
    try:
        return Engine(base_url, timeout)
    except (DockerException, requests.RequestException) as error:
        raise RuntimeUnavailable(f"No Docker engine answers at {where}: {_advice(error)}") from error


@contextmanager
def translated(doing: str, refusal: type[RuntimeProblem] = RuntimeUnavailable) -> Iterator[None]:
    """Turn what the SDK raises inside into our errors; `doing` ("inspecting shop-1") begins their messages.

    A container that is not there raises TargetGone, a call that the engine (or a proxy before it) will never carry
    out raises `refusal`, everything else RuntimeUnavailable.
    """
    try:
        yield
    except APIError as error:
        raise _of_answer(error, refusal)(f"{doing}: {_explanation(error)}") from error
    except (requests.RequestException, DockerException) as error:
        raise _of_silence(error)(f"{doing}: {_cause(error)}") from error
    except (ValueError, KeyError, TypeError) as error:
        # The SDK takes the body of an error for an object with a message, whatever it is.
        raise RuntimeUnavailable(f"{doing}: the answer is not what an engine says ({error!r:.80})") from error


def answered_with(problem: RuntimeProblem) -> int | None:
    """Return the HTTP status with which the engine answered a call that failed; None where no answer came."""
    cause = problem.__cause__
    return cause.status_code if isinstance(cause, APIError) else None


def _of_answer(error: APIError, refusal: type[RuntimeProblem]) -> type[RuntimeProblem]:
    # Not every 404 is about the container: the network or the volume that it wants to start with may be missing.
    if isinstance(error, NotFound) and "no such container" in str(error.explanation).lower():
        return TargetGone
    return refusal if error.status_code in _REFUSED else RuntimeUnavailable


def _of_silence(error: BaseException) -> type[RuntimeUnavailable]:
    stopped = isinstance(_innermost(error), (ConnectionRefusedError, FileNotFoundError))
    return RuntimeAway if stopped else RuntimeUnavailable


def _explanation(error: APIError) -> str:
    words = clean_line(" ".join(str(error.explanation or "no reason given").split()))[:300]
    return f"{words} (HTTP {error.status_code})"


def _innermost(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _cause(error: BaseException) -> str:
    inner = _innermost(error)
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    return clean_line(str(inner) or type(inner).__name__)[:300]


def _advice(error: BaseException) -> str:
    match _innermost(error):
        case PermissionError():
            return (
                "permission denied. Add yourself to the docker group (sudo usermod -aG docker $USER, then log in"
                " again), or run as root."
            )
        case FileNotFoundError():
            return "there is no such socket. Is Docker installed and running?"
        case ConnectionRefusedError():
            return "nothing listens there. Is Docker running?"
        case _:
            return f"{_cause(error)}. Is Docker running, and is the address right?"


def _log_params(tail: int, since: datetime | None) -> dict[str, str]:
    params = {"stdout": "1", "stderr": "1", "follow": "0", "tail": str(tail)}
    return {**params, "since": _stamp(since)} if since else params


def _stamp(moment: datetime) -> str:
    """Write a moment as the engine's API wants it: seconds and nanoseconds."""
    seconds, micros = divmod(round(moment.timestamp() * 1_000_000), 1_000_000)
    return f"{seconds}.{micros:06d}000"
