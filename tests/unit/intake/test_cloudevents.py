"""CloudEvents 1.0 in the three ways in which HTTP carries them."""

import json

import pytest

from aegis_core.adapters.intake.cloudevents import BATCH, STRUCTURED, parse, recognises
from aegis_core.domain.mapping import target_in
from aegis_core.domain.signal import Fault, Report, Severity
from aegis_core.errors import MediaUnsupported, PayloadInvalid
from tests.payloads import cloudevent, encoded

HEADERS = {"content-type": f"{STRUCTURED}; charset=utf-8"}
ATTRIBUTES = {
    f"ce-{name}": str(cloudevent()[name]) for name in ("specversion", "id", "source", "type", "subject", "time")
}


def _one(body: bytes, headers: dict[str, str] = HEADERS) -> Report:
    (report,) = parse(headers, body, {})
    return report


def test_an_event_becomes_a_report_about_the_container_in_its_data() -> None:
    report = _one(encoded(cloudevent()))
    assert (report.firing, report.fault, report.severity) == (True, Fault.MEMORY_PRESSURE, Severity.CRITICAL)
    assert target_in(report.labels) == "checkout"
    assert report.metrics == {"memory_percent": 93.4}
    assert report.logs == ("working set at 93 % of the limit",)


def test_a_binary_event_says_the_same_with_its_attributes_in_headers() -> None:
    headers = {**ATTRIBUTES, "content-type": "application/json"}
    assert parse(headers, json.dumps(cloudevent()["data"]).encode(), {}) == parse(HEADERS, encoded(cloudevent()), {})


def test_a_binary_event_may_have_no_data_or_a_text_and_escaped_attributes() -> None:
    report = _one(b"", {**ATTRIBUTES, "ce-subject": "caf%C3%A9"})
    assert report.labels == {"name": "café"}
    text = _one(b"out of memory", {**ATTRIBUTES, "ce-type": "io.shop.note", "content-type": "text/plain"})
    assert text.fault is Fault.OOM_KILLED
    assert text.logs == ("out of memory",)


def test_a_batch_is_one_report_for_each_event() -> None:
    events = [cloudevent(), cloudevent(id="b1a7c9e0-0002")]
    first, second = parse({"content-type": BATCH}, encoded(events), {})
    assert first.key != second.key


def test_source_and_id_together_are_the_key() -> None:
    assert _one(encoded(cloudevent())).key == _one(encoded(cloudevent(time="2026-11-21T00:00:00Z"))).key
    assert _one(encoded(cloudevent())).key != _one(encoded(cloudevent(source="/other"))).key


def test_data_in_the_native_form_is_read_like_it() -> None:
    data = {"container_name": "cart", "alert_type": "cpu", "severity": "info", "logs": ["a", "b"], "metrics": {}}
    report = _one(encoded(cloudevent(data=data)))
    assert (target_in(report.labels), report.fault, report.title) == ("cart", Fault.CPU_SATURATION, "cpu")
    assert (report.severity, report.logs) == (Severity.INFO, ("a", "b"))


@pytest.mark.parametrize("body", [b"7", b"{}", b'{"id": "1", "source": "/a", "specversion": "1.0"}', b"[[]]"])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadInvalid):
        parse(HEADERS, body, {})


def test_another_version_and_another_format_are_refused() -> None:
    with pytest.raises(PayloadInvalid, match=r"only 1\.0"):
        parse(HEADERS, encoded(cloudevent(specversion="0.3")), {})
    with pytest.raises(MediaUnsupported, match="avro"):
        parse({"content-type": "application/cloudevents+avro"}, b"\x00", {})


def test_it_is_known_by_its_type_its_headers_or_its_four_attributes() -> None:
    assert recognises(HEADERS, None)
    assert recognises(ATTRIBUTES, None)
    assert recognises({}, cloudevent())
    assert not recognises({}, {"id": 1, "source": "x"})
