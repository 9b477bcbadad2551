"""Deliveries that are not taken in: each is refused with a sentence, none breaks anything, nothing is stored."""

import base64
import hmac
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from aegis_core.adapters.intake.families import FAMILIES
from aegis_core.adapters.intake.signatures import standard_key
from aegis_core.adapters.store import database
from aegis_core.api import intake
from aegis_core.errors import ConfigError
from tests import examples as make
from tests import payloads
from tests.payloads import JSON, TOPIC, encoded

from .api_house import ApiHouse

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"the one of next month...").decode()
NATIVE = b'{"container_name": "web", "alert_type": "memory"}'
NAMES = [family.NAME for family in FAMILIES]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data", token="tok", sns_topics=TOPIC)
    yield opened
    opened.close()


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[ApiHouse]:
    """An agent whose senders have to sign; during a rotation, with the secret in a file."""
    (tmp_path / "secret").write_text(f"{SECRET},{NEW_SECRET}\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AEGIS_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
        patched.setattr(database, "BUSY_SECONDS", 0.2)
        opened = ApiHouse(tmp_path / "data", grafana_secret="graf", pagerduty_secret="duty")
    yield opened
    opened.close()


def _signed(body: bytes, at: datetime = make.NOON, secret: str = SECRET, delivery: str = "msg_1") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = hmac.digest(standard_key(secret), f"{delivery}.{stamp}.".encode() + body, sha256)
    encoded_signature = base64.b64encode(signature).decode()
    return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": f"v1,{encoded_signature}"}


def _refused(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    sentence: str = answer.json()["detail"]
    assert sentence
    return sentence


BAD = {
    "empty": (b"", 400),
    "cut": (b'{"version": "4"', 400),
    "NaN": (b'{"a": NaN}', 400),
    "1e400": (b'{"a": 1e400}', 400),
    "big integer": (b'{"a": ' + b"9" * 5000 + b"}", 400),
    "duplicate key": (b'{"a": 1, "a": 2}', 400),
    "deep": (b"[" * 100_000 + b"]" * 100_000, 400),
    "array": (b"[1]", 422),
    "number": (b"7", 422),
    "null": (b"null", 422),
    "nothing in it": (b"{}", 422),
}


@pytest.mark.parametrize("family", [name for name in NAMES if name != "cloudwatch_sns"])
@pytest.mark.parametrize(("body", "status"), BAD.values(), ids=BAD)
def test_what_is_no_payload_is_refused(house: ApiHouse, family: str, body: bytes, status: int) -> None:
    answer = house.http.post(f"/webhook/{family}", content=body, headers={**JSON, "x-aegis-token": "tok"})
    _refused(answer, status)
    assert house.stored() == []


@pytest.mark.parametrize("body", [body for body, _ in BAD.values()], ids=BAD)
def test_what_names_no_topic_is_not_from_a_listed_one(house: ApiHouse, body: bytes) -> None:
    headers = {**payloads.SNS_HEADERS, "x-aegis-token": "tok"}
    assert "AEGIS_SNS_TOPICS" in _refused(house.http.post("/webhook", content=body, headers=headers), 401)


@pytest.mark.parametrize(
    "headers", [{"content-type": "application/xml"}, {**JSON, "content-encoding": "gzip"}], ids=["xml", "gzip"]
)
def test_another_format_is_415(house: ApiHouse, headers: dict[str, str]) -> None:
    body = encoded(payloads.alertmanager())
    _refused(house.http.post("/webhook/alertmanager", content=body, headers={**headers, "x-aegis-token": "tok"}), 415)


def test_a_family_that_is_not_known_is_404_and_the_known_ones_are_named(house: ApiHouse) -> None:
    sentence = _refused(house.http.post("/webhook/nagios", content=b"{}"), 404)
    assert all(name in sentence for name in ["native", *NAMES])


@pytest.mark.parametrize("name", NAMES)
def test_every_family_has_the_same_limit(house: ApiHouse, name: str) -> None:
    _refused(house.http.post(f"/webhook/{name}", content=b" " * (intake.BODY_LIMIT + 1)), 413)


@pytest.mark.parametrize("path", ["/webhook", "/webhook/alertmanager"])
def test_who_does_not_know_the_token_is_401_before_the_payload_is_judged(house: ApiHouse, path: str) -> None:
    for body in (encoded(payloads.alertmanager()), b"{"):
        _refused(house.http.post(path, content=body, headers=JSON), 401)
    assert house.stored() == []


def test_a_heartbeat_in_a_query_needs_the_token_too(house: ApiHouse) -> None:
    _refused(house.http.get("/webhook/uptime_kuma", params={"msg": "x", "heartbeat": '{"status": 0}'}), 401)


# Signed


def test_a_signed_signal_is_taken_in_with_either_secret_of_a_rotation(signing: ApiHouse) -> None:
    for secret, delivery in ((SECRET, "msg_1"), (NEW_SECRET, "msg_2")):
        headers = _signed(NATIVE, secret=secret, delivery=delivery)
        assert signing.http.post("/webhook", content=NATIVE, headers=headers).status_code in {200, 202}


@pytest.mark.parametrize("off", [-360, 360])
def test_a_signature_of_six_minutes_is_401(signing: ApiHouse, off: float) -> None:
    headers = _signed(NATIVE, make.later(off))
    assert "5 minutes" in _refused(signing.http.post("/webhook", content=NATIVE, headers=headers), 401)
    assert signing.stored() == []


def test_a_wrong_signature_and_none_are_401(signing: ApiHouse) -> None:
    _refused(signing.http.post("/webhook", content=NATIVE + b" ", headers=_signed(NATIVE)), 401)
    _refused(signing.http.post("/webhook", content=NATIVE), 401)
    assert signing.stored() == []


def test_a_reused_id_is_409(signing: ApiHouse) -> None:
    for status in (202, 409, 409):
        answer = signing.http.post("/webhook", content=NATIVE, headers=_signed(NATIVE))
        assert answer.status_code == status
    (incident_id,) = signing.stored()
    assert signing.shown(incident_id)["signals"] == 1


def test_an_id_whose_payload_was_refused_may_come_again_with_a_right_one(signing: ApiHouse) -> None:
    _refused(signing.http.post("/webhook", content=b"{}", headers=_signed(b"{}")), 422)
    assert signing.http.post("/webhook", content=NATIVE, headers=_signed(NATIVE)).status_code == 202


def test_a_signed_signal_that_the_store_could_not_take_is_taken_when_it_is_sent_again(signing: ApiHouse) -> None:
    with closing(connect(signing.folder / "aegis.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = signing.http.post("/webhook", content=NATIVE, headers=_signed(NATIVE))
        _refused(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
        other.execute("ROLLBACK")
    assert signing.http.post("/webhook", content=NATIVE, headers=_signed(NATIVE)).status_code == 202


def test_grafana_and_pagerduty_have_to_sign_with_their_own_secret(signing: ApiHouse) -> None:
    for family, name, secret, prefix in (
        ("grafana", "x-grafana-alerting-signature", "graf", ""),
        ("pagerduty_v3", "x-pagerduty-signature", "duty", "v1="),
    ):
        body = encoded(getattr(payloads, family)())
        right = prefix + hmac.digest(secret.encode(), body, sha256).hex()
        wrong = prefix + hmac.digest(b"other", body, sha256).hex()
        for path in ("/webhook", f"/webhook/{family}"):
            _refused(signing.http.post(path, content=body, headers={**JSON, name: wrong}), 401)
            _refused(signing.http.post(path, content=body, headers=JSON), 401)
        assert signing.http.post("/webhook", content=body, headers={**JSON, name: right}).status_code == 202


def test_no_family_is_a_way_around_a_signature(signing: ApiHouse) -> None:
    for name in ("native", *NAMES):
        _refused(signing.http.post(f"/webhook/{name}", content=NATIVE), 401)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"webhook_secret": "whsec_not base64!"}, "AEGIS_WEBHOOK_SECRET"),
        ({"sns_certificate_file": "/nowhere.pem"}, "AEGIS_SNS_CERTIFICATE_FILE"),
    ],
)
def test_a_secret_that_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        ApiHouse(tmp_path / "data", **settings)
