"""The target app's posts over real HTTP."""

import socket
import threading
import time

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from aegis_infra.target_app.webhook import Answer, http_post


def test_json_is_posted_with_the_token(httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request(
        "/base/webhook", method="POST", json={"logs": "ü"}, headers={"Authorization": "Bearer s3cret"}
    ).respond_with_data("", 201)

    answer = http_post(httpserver.url_for("/base/webhook"), "s3cret", 2)({"logs": "ü"})

    assert answer == Answer(201, "HTTP 201")
    assert answer.accepted


def test_without_a_token_no_authorization_is_sent(httpserver: HTTPServer) -> None:
    seen: list[Request] = []
    httpserver.expect_request("/webhook").respond_with_handler(
        lambda request: seen.append(request) or Response("", 202)
    )

    http_post(httpserver.url_for("/webhook"), None, 2)({})

    assert "Authorization" not in seen[0].headers


def test_a_busy_agent_is_not_an_acceptance_and_says_when_to_come_back(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/webhook").respond_with_data("", 503, headers={"Retry-After": "7"})

    answer = http_post(httpserver.url_for("/webhook"), None, 2)({})

    assert (answer.status, answer.retry_after, answer.accepted) == (503, 7, False)


def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/webhook").respond_with_data("", 302, headers={"Location": httpserver.url_for("/else")})

    assert not http_post(httpserver.url_for("/webhook"), None, 2)({}).accepted
    assert [request.path for request, _ in httpserver.log] == ["/webhook"]


def test_an_agent_that_takes_the_connection_and_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post = http_post(f"http://127.0.0.1:{silent.getsockname()[1]}/webhook", None, 0.2)
        began = time.monotonic()

        assert post({}).status is None
        assert time.monotonic() - began < 2


def test_an_agent_that_talks_nonsense_counts_as_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nonsense:
        speaker = threading.Thread(target=_say, args=(nonsense, b"220 welcome to a mail server\r\n"))
        speaker.start()
        answer = http_post(f"http://127.0.0.1:{nonsense.getsockname()[1]}/webhook", None, 2)({})
        speaker.join()

    assert answer.status is None
    assert answer.reason.startswith("BadStatusLine")


def _say(server: socket.socket, words: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(words)
