"""Which family a delivery belongs to, and that nothing can break any of them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.intake.families import FAMILIES, NOTICES, Family, detect, named
from aegis_core.errors import PayloadInvalid
from tests import payloads
from tests.payloads import FIRING, JSON, encoded

WORDS = sorted({name for document in FIRING.values() for name in document})


def test_there_is_an_example_of_every_family() -> None:
    assert [family.NAME for family in FAMILIES] == list(FIRING)


@pytest.mark.parametrize("name", FIRING)
def test_every_family_is_recognised_by_the_shape_of_its_body_alone(name: str) -> None:
    assert detect({}, encoded(FIRING[name])) is named(name)


@pytest.mark.parametrize("name", FIRING)
def test_every_example_is_recognised_by_its_own_family_only(name: str) -> None:
    assert [family.NAME for family in FAMILIES if family.recognises(JSON, FIRING[name])] == [name]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"x-grafana-alerting-signature": "00"}, "grafana"),
        ({"x-pagerduty-signature": "v1=00"}, "pagerduty_v3"),
        ({"x-amz-sns-message-type": "Notification"}, "cloudwatch_sns"),
        ({"ce-specversion": "1.0"}, "cloudevents"),
        ({"content-type": "application/cloudevents-batch+json"}, "cloudevents"),
        ({"content-type": "multipart/form-data; boundary=x"}, "uptime_kuma"),
    ],
)
def test_headers_come_before_the_body(headers: dict[str, str], name: str) -> None:
    assert detect(headers, encoded(payloads.alertmanager())) is named(name) is not None


@pytest.mark.parametrize("body", [b'{"container_name": "web", "alert_type": "memory"}', b"[]", b"{", b"", b"7"])
def test_what_is_of_no_family_is_left_to_the_native_webhook(body: bytes) -> None:
    assert detect({}, body) is None


def test_families_are_found_by_name_with_either_dash() -> None:
    assert named("uptime-kuma") is named("uptime_kuma") is not None
    assert named("nagios") is None


# Documents that look like the real ones and are wrong in every way that JSON allows.
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
_documents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=9), inner),
    max_leaves=12,
)


@st.composite
def _spoilt(draw: st.DrawFn) -> bytes:
    """A real payload in which one value, somewhere, is something else."""
    document = json.loads(json.dumps(FIRING[draw(st.sampled_from(sorted(FIRING)))]))
    place = document
    while True:
        name: Any = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[name]
        if not inner or not isinstance(inner, dict | list) or draw(st.booleans()):
            place[name] = draw(_documents)
            return encoded(document)
        place = inner


_headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            ["application/json", "text/plain", "multipart/form-data; boundary=b", "application/cloudevents-batch+json"]
        ),
        "ce-specversion": st.sampled_from(["1.0", "%ff"]),
        "ce-id": st.text(max_size=5),
        "x-amz-sns-rawdelivery": st.just("true"),
    },
)
_queries = st.dictionaries(st.sampled_from(["msg", "heartbeat", "monitor"]), st.text(max_size=20) | st.just("{}"))
_bodies = _spoilt() | _documents.map(encoded) | st.binary(max_size=60)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.NAME)
@given(headers=_headers, body=_bodies, query=_queries)
def test_parsing_raises_nothing_but_payload_invalid(
    family: Family, headers: dict[str, str], body: bytes, query: dict[str, str]
) -> None:
    with suppress(PayloadInvalid):
        for report in family.parse(headers, body, query):
            assert report.source == family.NAME
            assert report.title
            assert report.key


@given(headers=_headers, body=_bodies)
def test_detection_and_notices_raise_nothing_else_either(headers: dict[str, str], body: bytes) -> None:
    detect(headers, body)
    for notice in NOTICES.values():
        with suppress(PayloadInvalid):
            notice(body)
