"""What people at the dashboard say, against a real HTTP server."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from aegis_dashboard.core_client import CoreAway, UnknownIncident
from aegis_dashboard.people_client import CoreRefused, PeopleClient


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def client(server: HTTPServer) -> PeopleClient:
    return PeopleClient(server.url_for("").rstrip("/"))


def test_what_a_person_says_is_posted_with_the_token(server: HTTPServer) -> None:
    client = PeopleClient(server.url_for("").rstrip("/"), token="of-the-test")
    said = {"by": "ann", "version": 7}
    headers = {"Authorization": "Bearer of-the-test", "Content-Type": "application/json"}
    for path in ("/incidents/a b/approve", "/targets/*/maintenance/end"):
        server.expect_ordered_request(path, method="POST", json=said, headers=headers).respond_with_json({})
    client.say_of_incident("a b", "approve", said)
    client.say_of_target("*", "maintenance/end", said)
    server.check_assertions()


def test_an_id_cannot_lead_to_another_path(server: HTTPServer, client: PeopleClient) -> None:
    server.expect_request("/").respond_with_json({})
    with pytest.raises(CoreRefused):
        client.say_of_incident("../targets/x", "release", {})
    [(request, _)] = server.log
    assert request.environ["RAW_URI"] == "/incidents/..%2Ftargets%2Fx/release"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (409, '{"detail": "ann has approved it already."}', "ann has approved it already."),
        (401, '{"detail": "A bearer token is required"}', "set AEGIS_TOKEN where the dashboard runs"),
        (503, "", "HTTP 503"),
        (500, "[1]", "HTTP 500"),
        (302, "", "HTTP 302"),
    ],
)
def test_what_the_core_does_not_take_is_told_in_its_own_words(
    server: HTTPServer, client: PeopleClient, status: int, body: str, told: str
) -> None:
    server.expect_request("/incidents/a/approve").respond_with_data(body, status=status)
    with pytest.raises(CoreRefused, match=told):
        client.say_of_incident("a", "approve", {})


def test_a_core_that_is_away_takes_nothing(server: HTTPServer, client: PeopleClient) -> None:
    server.stop()
    with pytest.raises(CoreAway):
        client.say_of_incident("a", "approve", {})
    with pytest.raises(CoreAway):
        client.postmortem("a")


def test_the_postmortem_is_asked_for_as_json(server: HTTPServer, client: PeopleClient) -> None:
    body = {"markdown": "# It", "written_by": "cloud (small)"}
    server.expect_request("/incidents/a/postmortem", query_string={"format": "json"}).respond_with_json(body)
    server.expect_request("/incidents/b/postmortem").respond_with_json({"detail": "none"}, status=404)
    server.expect_request("/incidents/c/postmortem").respond_with_data("no JSON")
    server.expect_request("/incidents/d/postmortem").respond_with_data("", status=503)
    assert client.postmortem("a").markdown == "# It"
    with pytest.raises(UnknownIncident):
        client.postmortem("b")
    for odd in "cd":
        with pytest.raises(CoreAway):
            client.postmortem(odd)
