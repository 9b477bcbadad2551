"""The dashboard's client against a real HTTP server: what it asks for, what it keeps, what it says."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from aegis_dashboard.chaos_client import AppAway, ChaosClient
from aegis_dashboard.core_client import PAUSE_SECONDS, CoreAway, CoreClient, IncidentQuery, UnknownIncident
from aegis_dashboard.wire import Brief

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EMPTY_PAGE = {"items": [], "total": 0, "limit": 25, "offset": 0}


class Hand:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def client(server: HTTPServer, hand: Hand) -> CoreClient:
    return CoreClient(server.url_for("").rstrip("/"), clock=hand)


def requests_for(server: HTTPServer, path: str) -> int:
    return sum(request.path == path for request, _ in server.log)


def test_many_viewers_at_once_cost_one_request(server: HTTPServer, client: CoreClient, hand: Hand) -> None:
    server.expect_request("/targets").respond_with_json({"items": [{"name": "app"}]})
    for _ in range(50):
        assert client.targets()[0].name == "app"
    assert requests_for(server, "/targets") == 1
    hand.now += 2.0
    client.targets()
    assert requests_for(server, "/targets") == 2


def test_what_was_known_is_asked_anew_when_somebody_has_changed_something(
    server: HTTPServer, client: CoreClient
) -> None:
    server.expect_request("/targets").respond_with_json({"items": []})
    client.targets()
    client.forget()
    client.targets()
    assert requests_for(server, "/targets") == 2


def test_a_core_that_knows_of_no_standings_has_none(server: HTTPServer, client: CoreClient) -> None:
    server.expect_request("/standings").respond_with_json({"detail": "Not Found"}, status=404)
    assert client.standings() == ()


def test_a_core_that_knows_of_no_evaluations_has_none(server: HTTPServer, client: CoreClient) -> None:
    server.expect_request("/evaluations").respond_with_json({"detail": "Not Found"}, status=404)
    assert client.evaluations() == ()


def test_events_are_asked_for_again_only_when_the_incident_has_changed(
    server: HTTPServer, client: CoreClient, hand: Hand
) -> None:
    path = "/incidents/i-1/events"
    event = {"version": 1, "type": "SignalReceived", "at": MOMENT.isoformat()}
    server.expect_request(path).respond_with_json({"items": [event]})
    incident = Brief(incident_id="i-1", container_name="app", opened_at=MOMENT, updated_at=MOMENT)
    for _ in range(5):
        assert len(client.events(incident)) == 1
        hand.now += 60
    assert requests_for(server, path) == 1
    client.events(incident.model_copy(update={"updated_at": MOMENT.replace(minute=1)}))
    assert requests_for(server, path) == 2


def test_the_filters_arrive_as_they_were_set(server: HTTPServer, client: CoreClient) -> None:
    query = {"fault": "crashed", "search": "a&b=c", "open": "true", "limit": "20", "offset": "40"}
    server.expect_request("/incidents", query_string=query).respond_with_json(EMPTY_PAGE)
    client.incidents(IncidentQuery(fault="crashed", search="a&b=c", open=True, limit=20, offset=40))


def test_an_id_with_slashes_stays_one_part_of_the_path(server: HTTPServer, client: CoreClient) -> None:
    with pytest.raises(UnknownIncident):
        client_for_missing(server, client).incident("../runbook")
    assert [request.path for request, _ in server.log] == ["/incidents/../runbook"]
    assert server.log[0][0].environ["REQUEST_URI"].endswith("/incidents/..%2Frunbook")


def client_for_missing(server: HTTPServer, client: CoreClient) -> CoreClient:
    server.expect_request("/incidents/../runbook").respond_with_data("", status=404)
    return client


def test_a_degraded_core_is_not_taken_for_one_that_is_away(server: HTTPServer, client: CoreClient) -> None:
    checks = {"store": {"ok": False, "detail": "disk full"}}
    server.expect_request("/ready").respond_with_json({"status": "degraded", "checks": checks}, status=503)
    assert client.readiness().checks["store"].detail == "disk full"


def test_a_core_that_is_away_is_left_alone_for_a_while_and_then_asked_again(hand: Hand) -> None:
    with HTTPServer(host="127.0.0.1") as server:
        url, port = server.url_for("").rstrip("/"), server.port
    client = CoreClient(url, clock=hand)
    with pytest.raises(CoreAway, match="refused"):
        client.targets()
    with HTTPServer(host="127.0.0.1", port=port) as server:
        server.expect_request("/targets").respond_with_json({"items": []})
        with pytest.raises(CoreAway):
            client.targets()
        assert not server.log
        hand.now += PAUSE_SECONDS
        assert client.targets() == ()


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (lambda handler: handler.respond_with_data("<html>nginx</html>"), "not JSON"),
        (lambda handler: handler.respond_with_data("", status=500), "HTTP 500"),
        (lambda handler: handler.respond_with_data("", status=302, headers={"Location": "/"}), "HTTP 302"),
        (lambda handler: handler.respond_with_json({"items": [{"no": "name"}]}), "unexpected"),
        (lambda handler: handler.respond_with_json([3]), "unexpected"),
    ],
    ids=["another server", "error", "redirect", "other fields", "other shape"],
)
def test_an_answer_that_is_none_is_told_in_words(
    server: HTTPServer, client: CoreClient, respond: Callable[..., None], said: str
) -> None:
    respond(server.expect_request("/targets"))
    with pytest.raises(CoreAway, match=said) as caught:
        client.targets()
    assert caught.value.url == client.url


def test_the_faults_are_read_in_either_shape_that_the_target_app_has_used(server: HTTPServer) -> None:
    fault = {"name": "memory", "description": "d", "expect": "e", "active": False, "grade": None}
    server.expect_ordered_request("/faults").respond_with_json({"faults": [fault]})
    server.expect_ordered_request("/faults").respond_with_json([fault])
    client = ChaosClient(server.url_for("").rstrip("/"))
    assert [client.faults()[0].name for _ in range(2)] == ["memory", "memory"]


def test_a_fault_that_the_app_refuses_is_told_with_the_apps_own_words(server: HTTPServer) -> None:
    server.expect_request("/trigger_cpu").respond_with_json({"error": "percent must be a number"}, status=400)
    with pytest.raises(AppAway, match="percent must be a number"):
        ChaosClient(server.url_for("").rstrip("/")).trigger("cpu")
