"""Nothing that an alert points to is ever asked: neither while it is taken in, nor while its incident is handled."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from aegis_core.domain.target import Limits
from tests import examples as make
from tests import payloads
from tests.contract.rigs import wait_until
from tests.payloads import FIRING, JSON, TOPIC, encoded

from .api_house import MIB, ApiHouse

WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")


class Spy:
    """Notes every connection, every look-up of a name and every opened file of this process, while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)  # it cannot be taken away again, so that there is one for all tests

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in WATCHED:
            self.seen.append(f"{event} {arguments[-1]!r}")
        elif event == "open" and "passwd" in str(arguments[0]):
            self.seen.append(f"{event} {arguments[0]!r}")


SPY = Spy()


@pytest.fixture
def spy() -> Iterator[Spy]:
    SPY.seen.clear()
    SPY.on = True
    yield SPY
    SPY.on = False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    settings = {"debounce_seconds": 0.0, "cooldown_seconds": 0.0}
    opened = ApiHouse(tmp_path / "data", token="tok", sns_topics=TOPIC, **settings)
    opened.runtime.add("checkout", labels=make.LABELS, limits=Limits(memory_bytes=128 * MIB))
    opened.runtime.use("checkout", memory_bytes=120 * MIB)
    yield opened
    opened.close()


def _pointing(document: Any, url: str) -> Any:
    """The same payload, with every address in it replaced."""
    if isinstance(document, dict):
        return {name: _pointing(value, url) for name, value in document.items()}
    if isinstance(document, list):
        return [_pointing(value, url) for value in document]
    return url if isinstance(document, str) and "://" in document[:12] else document


EVERYTHING = {
    **FIRING,
    "cloudevents": payloads.cloudevent(source="https://host/a", dataschema="https://host/schema"),
    "subscription": payloads.subscription(),
    "native": {"container_name": "web", "alert_type": "memory", "logs": "see https://host/a", "url": "https://host/a"},
}


def test_the_spy_sees_what_there_is_to_see(spy: Spy, httpserver: HTTPServer) -> None:
    socket.create_connection((httpserver.host, httpserver.port)).close()
    Path("/etc/passwd").read_bytes()
    assert {line.split()[0] for line in spy.seen} >= {"socket.connect", "open"}


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "the server"])
def test_no_address_in_an_alert_is_asked(house: ApiHouse, spy: Spy, httpserver: HTTPServer, url: str) -> None:
    httpserver.expect_request("/redirect").respond_with_data("", 302, {"Location": "http://169.254.169.254/"})
    address = httpserver.url_for("/redirect") if url == "the server" else url
    house.agent.start()
    for name, document in EVERYTHING.items():
        body = encoded(_pointing(document, address))
        answer = house.http.post("/webhook", content=body, headers={**JSON, "x-aegis-token": "tok"})
        assert answer.status_code in {200, 202}, (name, answer.text)
    wait_until(lambda: house.http.get("/incidents?open=true").json()["total"] == 0, "all incidents to end", 60)
    assert house.http.get("/incidents").json()["total"] > 1
    assert spy.seen == []
    assert httpserver.log == []
