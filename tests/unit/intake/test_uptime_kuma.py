"""Uptime Kuma's heartbeats, in the three ways in which it can send them."""

import json
from typing import Any

import pytest

from aegis_core.adapters.intake.uptime_kuma import parse, recognises
from aegis_core.domain.mapping import target_in
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import PayloadInvalid, PayloadUnreadable
from tests.payloads import JSON, encoded, form, uptime_kuma

TEST_BUTTON = {"heartbeat": None, "monitor": None, "msg": "My Webhook Alert Testing"}


def _in_query(document: dict[str, Any]) -> dict[str, str]:
    parts = {name: json.dumps(document[name]) for name in ("heartbeat", "monitor") if document[name]}
    return {"msg": document["msg"], **parts}


def test_down_is_a_report_about_the_monitor() -> None:
    (report,) = parse(JSON, encoded(uptime_kuma()), {})
    assert (report.firing, report.fault, report.severity) == (True, Fault.UNHEALTHY, Severity.CRITICAL)
    assert report.title == "checkout is down"
    assert "connect ECONNREFUSED 172.18.0.4:8080" in report.logs


def test_up_ends_what_down_began() -> None:
    (down,) = parse(JSON, encoded(uptime_kuma()), {})
    (up,) = parse(JSON, encoded(uptime_kuma(status=1)), {})
    assert (up.firing, up.key, up.metrics) == (False, down.key, {"ping_ms": 41.0})


@pytest.mark.parametrize("status", [2, 3], ids=["pending", "maintenance"])
def test_pending_and_maintenance_report_nothing(status: int) -> None:
    assert parse(JSON, encoded(uptime_kuma(status=status)), {}) == ()


def test_a_form_and_a_query_say_the_same_as_json() -> None:
    asked = parse(JSON, encoded(uptime_kuma()), {})
    assert parse(*form(uptime_kuma()), {}) == asked
    assert parse({}, b"", _in_query(uptime_kuma())) == asked


def test_the_test_button_reports_nothing_in_any_form() -> None:
    assert parse(JSON, encoded(TEST_BUTTON), {}) == ()
    assert parse(*form(TEST_BUTTON), {}) == ()
    assert parse({}, b"", _in_query(TEST_BUTTON)) == ()


def test_a_monitor_of_docker_names_its_container() -> None:
    (report,) = parse(JSON, encoded(uptime_kuma(name="Web shop", docker_container="shop-web-1")), {})
    assert target_in(report.labels) == "shop-web-1"


def test_a_monitor_with_a_free_name_is_known_by_the_host_in_its_address() -> None:
    (report,) = parse(JSON, encoded(uptime_kuma(name="Web shop (Vienna)")), {})
    assert target_in(report.labels) == "checkout"


def test_an_address_that_is_none_is_no_host() -> None:
    (report,) = parse(JSON, encoded(uptime_kuma(name="!", url="http://[oops")), {})
    assert target_in(report.labels) is None


def test_any_form_is_taken_for_its_own_before_it_is_read() -> None:
    assert recognises(form(uptime_kuma())[0], None)
    assert not recognises(JSON, None)


def test_a_form_without_boundary_or_without_the_field_is_refused() -> None:
    headers, body = form(uptime_kuma())
    with pytest.raises(PayloadUnreadable, match="boundary"):
        parse({"content-type": "multipart/form-data"}, body, {})
    with pytest.raises(PayloadInvalid, match='no field "data"'):
        parse(headers, body.replace(b'name="data"', b'name="file"'), {})


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"heartbeat": {"status": "down"}, "monitor": {}}'])
def test_what_is_no_heartbeat_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadInvalid):
        parse(JSON, body, {})


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(PayloadUnreadable, match="empty"):
        parse({}, b"", {})
