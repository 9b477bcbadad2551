"""Addresses as the commands build them."""

import pytest

from aegis_core.cli.client import core_url, path_of
from aegis_core.settings import load


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::", "http://[::1]:8001"),
        ("fe80::1", "http://[fe80::1]:8001"),
        ("aegis.local", "http://aegis.local:8001"),
    ],
)
def test_an_agent_is_asked_where_it_can_be_reached_and_not_where_it_listens(host: str, url: str) -> None:
    assert core_url(load(host=host, port=8001)) == url


def test_an_id_cannot_lead_to_another_path() -> None:
    assert path_of("../targets?x=1") == "/incidents/..%2Ftargets%3Fx%3D1"
