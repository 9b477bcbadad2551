"""The errors of the SDK in our words."""

import docker.errors
import pytest
import requests

from aegis_core.adapters.docker.client import answered_with, translated
from aegis_core.errors import ActionUnsupported, RuntimeProblem, RuntimeUnavailable, TargetGone


def answer(status: int, explanation: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    kind = docker.errors.NotFound if status == 404 else docker.errors.APIError
    return kind("made up", response=response, explanation=explanation)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answer(404, "No such container: shop"), TargetGone),
        (answer(404, "network shop_default not found"), RuntimeUnavailable),
        (answer(500, "driver failed"), RuntimeUnavailable),
        (answer(409, "removal of container shop is already in progress"), RuntimeUnavailable),
        (answer(403, "forbidden by the proxy"), ActionUnsupported),
        (answer(501, "not implemented"), ActionUnsupported),
        (requests.exceptions.ReadTimeout("slow"), RuntimeUnavailable),
        (requests.exceptions.ConnectionError("reset"), RuntimeUnavailable),
        (requests.exceptions.ChunkedEncodingError("cut"), RuntimeUnavailable),
        (docker.errors.DockerException("what"), RuntimeUnavailable),
        (KeyError("message"), RuntimeUnavailable),
    ],
)
def test_each_error_becomes_one_of_ours_and_says_what_was_being_done(
    error: Exception, expected: type[RuntimeProblem]
) -> None:
    with (
        pytest.raises(RuntimeProblem, match=r"^restarting shop: ") as caught,
        translated("restarting shop", refusal=ActionUnsupported),
    ):
        raise error

    assert type(caught.value) is expected


def test_the_engines_own_reason_is_passed_on_in_one_clean_line() -> None:
    with (
        pytest.raises(RuntimeUnavailable, match=r"^inspecting shop: driver failed: no space \(HTTP 500\)$"),
        translated("inspecting shop"),
    ):
        raise answer(500, "driver failed:\n\x1b[31mno space")


def test_what_the_engine_answered_is_told_from_no_answer() -> None:
    with pytest.raises(RuntimeUnavailable) as refused, translated("x"):
        raise answer(500, "y")
    with pytest.raises(RuntimeUnavailable) as silent, translated("x"):
        raise requests.exceptions.ReadTimeout("slow")

    assert (answered_with(refused.value), answered_with(silent.value)) == (500, None)


def test_what_is_no_error_of_the_engine_is_let_through() -> None:
    with pytest.raises(ZeroDivisionError), translated("x"):
        raise ZeroDivisionError
