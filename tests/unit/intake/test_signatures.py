"""Signatures: the right ones, and every way in which one can be wrong."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from aegis_core.adapters.intake.signatures import (
    check_grafana,
    check_pagerduty,
    check_sns,
    check_standard,
    sns_keys,
    standard_key,
)
from aegis_core.errors import ConfigError, SignatureInvalid
from tests.examples import NOON, later
from tests.payloads import alarm, signed_sns, sns, subscription

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the one of last month...").decode()
KEYS = (standard_key(SECRET),)
BODY = b'{"container_name": "web"}'
STAMP = str(int(NOON.timestamp()))


def _standard(secret: str = SECRET, delivery: str = "msg_1", stamp: str = STAMP, body: bytes = BODY) -> dict[str, str]:
    signed = f"{delivery}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(standard_key(secret), signed, sha256)).decode()
    return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


# Standard Webhooks


def test_the_example_of_the_specification_is_right() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    assert check_standard(headers, b'{"test": 2432232314}', (standard_key(secret),), at) == headers["webhook-id"]


def test_a_right_signature_gives_the_id_of_the_delivery() -> None:
    assert check_standard(_standard(), BODY, KEYS, NOON) == "msg_1"


def test_one_right_signature_among_several_is_enough() -> None:
    headers = _standard()
    headers["webhook-signature"] = f"v1,AAAA v1a,BBBB {headers['webhook-signature']}"
    assert check_standard(headers, BODY, KEYS, NOON)


def test_during_a_rotation_the_old_secret_and_the_new_one_are_right() -> None:
    keys = (standard_key(SECRET), standard_key(OLD_SECRET))
    assert check_standard(_standard(SECRET), BODY, keys, NOON)
    assert check_standard(_standard(OLD_SECRET), BODY, keys, NOON)


@pytest.mark.parametrize(
    "headers",
    [
        _standard(OLD_SECRET),
        {**_standard(), "webhook-id": "msg_2"},
        {**_standard(), "webhook-timestamp": str(int(STAMP) + 1)},
        {**_standard(), "webhook-signature": "v1,AAAA"},
        {**_standard(), "webhook-signature": _standard()["webhook-signature"].removeprefix("v1,")},
        {**_standard(), "webhook-signature": _standard()["webhook-signature"].replace("v1,", "v1a,")},
        {**_standard(), "webhook-signature": "v1,é"},
        {**_standard(), "webhook-timestamp": "soon"},
        {**_standard(), "webhook-timestamp": "１７９５１７６０００"},
        {**_standard(), "webhook-timestamp": "9" * 400},
        {},
        {name: value for name, value in _standard().items() if name != "webhook-id"},
    ],
)
def test_what_is_not_signed_rightly_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        check_standard(headers, BODY, KEYS, NOON)


def test_another_body_is_refused() -> None:
    with pytest.raises(SignatureInvalid, match="does not match"):
        check_standard(_standard(), BODY + b" ", KEYS, NOON)


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_six_minutes_are_too_many_either_way(off: timedelta) -> None:
    with pytest.raises(SignatureInvalid, match="5 minutes off"):
        check_standard(_standard(), BODY, KEYS, NOON + off)


@pytest.mark.parametrize("off", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_five_minutes_are_not(off: timedelta) -> None:
    assert check_standard(_standard(), BODY, KEYS, NOON + off)


def test_only_the_first_sixteen_signatures_are_looked_at() -> None:
    headers = _standard()
    headers["webhook-signature"] = "v1,AAAA " * 16 + headers["webhook-signature"]
    with pytest.raises(SignatureInvalid):
        check_standard(headers, BODY, KEYS, NOON)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_äöü"])
def test_a_secret_that_is_none_is_a_configuration_error(secret: str) -> None:
    with pytest.raises(ConfigError, match="AEGIS_WEBHOOK_SECRET"):
        standard_key(secret)


# Grafana


def _hex(secret: str, signed: bytes) -> str:
    return hmac.digest(secret.encode(), signed, sha256).hex()


def _grafana(secret: str = "s1", stamp: str = "") -> dict[str, str]:
    if not stamp:
        return {"x-grafana-alerting-signature": _hex(secret, BODY)}
    signature = _hex(secret, f"{stamp}:".encode() + BODY)
    return {"x-grafana-alerting-signature": signature, "x-grafana-alerting-timestamp": stamp}


def test_grafana_signs_the_body_or_the_time_and_the_body() -> None:
    check_grafana(_grafana(), BODY, ("s0", "s1"), NOON)
    check_grafana(_grafana(stamp=STAMP), BODY, ("s1",), NOON)


@pytest.mark.parametrize(
    ("headers", "at"),
    [
        (_grafana("s2"), NOON),
        ({}, NOON),
        ({"x-grafana-alerting-signature": ""}, NOON),
        (_grafana(stamp=STAMP), later(301)),
        ({**_grafana(), "x-grafana-alerting-timestamp": STAMP}, NOON),
        ({"x-grafana-alerting-signature": _grafana(stamp=STAMP)["x-grafana-alerting-signature"]}, NOON),
    ],
    ids=["secret", "none", "empty", "old", "time added", "time taken away"],
)
def test_a_wrong_signature_of_grafana_is_refused(headers: dict[str, str], at: datetime) -> None:
    with pytest.raises(SignatureInvalid):
        check_grafana(headers, BODY, ("s1",), at)


# PagerDuty


def test_pagerduty_signs_with_every_secret_that_it_has() -> None:
    header = f"v1={_hex('new', BODY)},v1={_hex('old', BODY)}"
    check_pagerduty({"x-pagerduty-signature": header}, BODY, ("old",))
    check_pagerduty({"x-pagerduty-signature": header.replace(",", ", ")}, BODY, ("new",))


@pytest.mark.parametrize("header", ["", "v1=", "v1=00", f"v2={_hex('s', BODY)}", _hex("s", BODY), "v1=é"])
def test_a_wrong_signature_of_pagerduty_is_refused(header: str) -> None:
    with pytest.raises(SignatureInvalid):
        check_pagerduty({"x-pagerduty-signature": header}, BODY, ("s",))


# Amazon SNS


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = made.serial_number(7).not_valid_before(later(-3600)).not_valid_after(later(3600))
    return dated.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_are_checked(key: rsa.RSAPrivateKey, version: str) -> None:
    check_sns(signed_sns(key, sns(alarm()), version), (key.public_key(),))
    check_sns(signed_sns(key, subscription(), version), (key.public_key(),))


def test_a_notification_without_a_subject_is_signed_without_it(key: rsa.RSAPrivateKey) -> None:
    bare = {name: value for name, value in sns(alarm()).items() if name != "Subject"}
    check_sns(signed_sns(key, bare), (key.public_key(),))


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "{}"},
        {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:other"},
        {"Timestamp": "2026-11-20T12:59:02.412Z"},
        {"Signature": ""},
        {"Signature": "not base64!"},
        {"Signature": None},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": None},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem"},
        {"SigningCertURL": "http://sns.eu-central-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "file:///etc/passwd"},
        {"SigningCertURL": None},
    ],
    ids=str,
)
def test_an_envelope_that_was_changed_is_refused(key: rsa.RSAPrivateKey, changed: dict[str, Any]) -> None:
    envelope = {**signed_sns(key, sns(alarm())), **changed}
    with pytest.raises(SignatureInvalid):
        check_sns(envelope, (key.public_key(),))


def test_a_signature_of_another_key_is_refused(key: rsa.RSAPrivateKey) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(SignatureInvalid):
        check_sns(signed_sns(other, sns(alarm())), (key.public_key(),))


def test_certificates_are_read_from_a_file_that_may_hold_the_old_and_the_new_one(
    key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    new = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "sns.pem"
    path.write_bytes(_certificate(key) + _certificate(new))
    for one in (key, new):
        check_sns(signed_sns(one, sns(alarm())), sns_keys(path))


def test_a_file_without_a_certificate_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "sns.pem"
    with pytest.raises(ConfigError, match="cannot be read"):
        sns_keys(path)
    path.write_text("no certificate")
    with pytest.raises(ConfigError, match="PEM"):
        sns_keys(path)
