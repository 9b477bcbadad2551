"""Who may post what, and that nothing signed is taken twice."""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from aegis_core.adapters.intake.families import FAMILIES
from aegis_core.adapters.intake.gate import KEPT, Deliveries, Gate, Secrets
from aegis_core.adapters.intake.signatures import standard_key
from aegis_core.errors import DeliveryRepeated, SignatureInvalid, StoreUnavailable
from tests.examples import NOON, later
from tests.payloads import RAW_HEADERS, TOPIC, alarm, encoded, pagerduty_event, pagerduty_v3, signed_sns, sns

KEY = standard_key("whsec_" + base64.b64encode(b"a key of twenty-four byt").decode())
TOKEN = "tok-123"
BEARER = {"authorization": f"Bearer {TOKEN}"}
NAMES = ["native", *(family.NAME for family in FAMILIES)]
WITHOUT_SNS = [name for name in NAMES if name != "cloudwatch_sns"]


def _post(gate: Gate, family: str, headers: Mapping[str, str], body: bytes = b"{}", at: datetime = NOON) -> bool:
    with gate.admitted(family, headers, body, at) as fresh:
        return fresh


def _standard(delivery: str = "msg_1", at: datetime = NOON, body: bytes = b"{}") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = base64.b64encode(hmac.digest(KEY, f"{delivery}.{stamp}.".encode() + body, sha256)).decode()
    return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


def _hex(secret: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), body, sha256).hex()


@pytest.mark.parametrize("family", WITHOUT_SNS)
def test_where_nothing_is_set_everybody_may_post(family: str) -> None:
    assert _post(Gate(), family, {})


@pytest.mark.parametrize("family", WITHOUT_SNS)
@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"authorization": f"bearer {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": "Basic " + base64.b64encode(f"aegis:{TOKEN}".encode()).decode()},
        {"x-aegis-token": TOKEN},
    ],
    ids=["bearer", "lower case", "bare", "basic", "own header"],
)
def test_a_token_may_stand_wherever_senders_can_put_one(family: str, headers: dict[str, str]) -> None:
    assert _post(Gate(Secrets(token=TOKEN)), family, headers)


@pytest.mark.parametrize("family", NAMES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer tok-12"},
        {"authorization": "Bearer tok-1234"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(TOKEN.encode()).decode()},
        {"x-aegis-token": "é"},
    ],
)
def test_without_the_token_nobody_may_post(family: str, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        _post(Gate(Secrets(token=TOKEN, sns_topics=frozenset({TOPIC}))), family, headers, encoded(sns(alarm())))


def test_the_routing_key_is_the_token_of_pagerdutys_events_and_of_nothing_else() -> None:
    gate, body = Gate(Secrets(token=TOKEN)), encoded({**pagerduty_event(), "routing_key": TOKEN})
    assert _post(gate, "pagerduty_events_v2", {}, body)
    with pytest.raises(SignatureInvalid):
        _post(gate, "pagerduty_events_v2", {}, encoded(pagerduty_event()))
    with pytest.raises(SignatureInvalid):
        _post(gate, "datadog", {}, body)


def test_where_a_familys_secret_is_set_the_token_does_not_replace_its_signature() -> None:
    gate = Gate(Secrets(token=TOKEN, grafana=("g",), pagerduty=("p",)))
    assert _post(gate, "grafana", {"x-grafana-alerting-signature": _hex("g", b"{}")})
    assert _post(gate, "pagerduty_v3", {"x-pagerduty-signature": f"v1={_hex('p', b'{}')}"})
    for family in ("grafana", "pagerduty_v3"):
        with pytest.raises(SignatureInvalid):
            _post(gate, family, BEARER)


@pytest.mark.parametrize(
    "secrets", [Secrets(grafana=("g",)), Secrets(pagerduty=("p",)), Secrets(standard=(KEY,))], ids=str
)
def test_a_secret_of_one_family_leaves_no_other_door_open(secrets: Secrets) -> None:
    for family in NAMES:
        with pytest.raises(SignatureInvalid):
            _post(Gate(secrets), family, {})


def test_the_native_webhook_takes_a_standard_signature_or_the_token() -> None:
    gate = Gate(Secrets(token=TOKEN, standard=(KEY,)))
    assert _post(gate, "native", _standard())
    assert _post(gate, "native", BEARER)
    with pytest.raises(SignatureInvalid):
        _post(gate, "native", {**_standard("msg_2"), "webhook-signature": "v1,AAAA"})


def test_a_wrong_signature_is_not_made_good_by_the_token() -> None:
    gate = Gate(Secrets(token=TOKEN, standard=(KEY,)))
    with pytest.raises(SignatureInvalid):
        _post(gate, "native", {**BEARER, **_standard(), "webhook-signature": "v1,AAAA"})


# SNS


def test_sns_may_bring_nothing_where_no_topic_is_listed() -> None:
    with pytest.raises(SignatureInvalid, match="AEGIS_SNS_TOPICS"):
        _post(Gate(Secrets(token=TOKEN)), "cloudwatch_sns", BEARER, encoded(sns(alarm())))


def test_without_a_certificate_sns_needs_a_listed_topic_and_the_token() -> None:
    secrets = Secrets(token=TOKEN, sns_topics=frozenset({TOPIC}))
    assert _post(Gate(secrets), "cloudwatch_sns", BEARER, encoded(sns(alarm())))
    assert _post(Gate(secrets), "cloudwatch_sns", {**BEARER, **RAW_HEADERS}, encoded(alarm()))
    with pytest.raises(SignatureInvalid, match="topic"):
        _post(Gate(secrets), "cloudwatch_sns", BEARER, encoded(sns(alarm(), TopicArn=TOPIC + "-2")))
    with pytest.raises(SignatureInvalid, match="AEGIS_SNS_CERTIFICATE_FILE"):
        _post(Gate(Secrets(sns_topics=frozenset({TOPIC}))), "cloudwatch_sns", {}, encoded(sns(alarm())))


def test_with_a_certificate_sns_has_to_sign_and_needs_no_token() -> None:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    gate = Gate(Secrets(token=TOKEN, sns_topics=frozenset({TOPIC}), sns_keys=(key.public_key(),)))
    assert _post(gate, "cloudwatch_sns", {}, encoded(signed_sns(key, sns(alarm()))))
    with pytest.raises(SignatureInvalid, match="match"):
        _post(gate, "cloudwatch_sns", BEARER, encoded(sns(alarm())))
    with pytest.raises(SignatureInvalid, match="topic"):
        _post(gate, "cloudwatch_sns", {}, encoded(signed_sns(key, sns(alarm(), TopicArn=TOPIC + "-2"))))
    with pytest.raises(SignatureInvalid):
        _post(gate, "cloudwatch_sns", {**BEARER, **RAW_HEADERS}, encoded(alarm()))


# Deliveries that come again


def test_a_signed_delivery_is_taken_once() -> None:
    gate = Gate(Secrets(standard=(KEY,)))
    assert _post(gate, "native", _standard())
    with pytest.raises(DeliveryRepeated):
        _post(gate, "native", _standard(), at=later(60))
    with pytest.raises(DeliveryRepeated):
        _post(gate, "alertmanager", _standard())
    assert _post(gate, "native", _standard("msg_2"))


def test_a_delivery_that_could_not_be_taken_may_come_again() -> None:
    gate = Gate(Secrets(standard=(KEY,)))
    with pytest.raises(StoreUnavailable), gate.admitted("native", _standard(), b"{}", NOON):
        raise StoreUnavailable
    assert _post(gate, "native", _standard())


def test_an_id_is_remembered_as_long_as_its_signature_is_good() -> None:
    gate = Gate(Secrets(standard=(KEY,)))
    ahead = _standard(at=later(299))
    assert _post(gate, "native", ahead)
    with pytest.raises(DeliveryRepeated):
        _post(gate, "native", ahead, at=later(598))
    with pytest.raises(SignatureInvalid, match="minutes off"):
        _post(gate, "native", ahead, at=later(600))


def test_a_forged_delivery_does_not_use_up_an_id() -> None:
    gate = Gate(Secrets(standard=(KEY,)))
    with pytest.raises(SignatureInvalid):
        _post(gate, "native", {**_standard(), "webhook-signature": "v1,AAAA"})
    assert _post(gate, "native", _standard())


@pytest.mark.parametrize(
    ("family", "body"), [("pagerduty_v3", encoded(pagerduty_v3())), ("cloudwatch_sns", encoded(sns(alarm())))]
)
def test_what_promises_to_repeat_itself_is_known_the_second_time(family: str, body: bytes) -> None:
    gate = Gate(Secrets(token=TOKEN, sns_topics=frozenset({TOPIC})))
    assert [_post(gate, family, BEARER, body) for _ in range(2)] == [True, False]


def test_a_repetition_that_breaks_off_does_not_open_the_door_to_a_third() -> None:
    gate, body = Gate(), encoded(pagerduty_v3())
    assert _post(gate, "pagerduty_v3", {}, body)
    with pytest.raises(StoreUnavailable), gate.admitted("pagerduty_v3", {}, body, NOON):
        raise StoreUnavailable
    assert not _post(gate, "pagerduty_v3", {}, body)


def test_ids_are_forgotten_when_their_time_is_over() -> None:
    deliveries = Deliveries(most=2)
    assert deliveries.enter("a", NOON)
    assert deliveries.enter("b", later(1))
    assert not deliveries.enter("a", NOON + KEPT)
    assert deliveries.enter("c", NOON + KEPT + (later(0.5) - NOON))


def test_what_can_no_longer_be_remembered_is_not_taken() -> None:
    deliveries = Deliveries(most=2)
    assert deliveries.enter("a", NOON)
    assert deliveries.enter("b", NOON)
    with pytest.raises(StoreUnavailable):
        deliveries.enter("c", NOON)
    assert not deliveries.enter("a", NOON)
    deliveries.forget("a")
    assert deliveries.enter("c", NOON)


def test_a_clock_that_is_set_back_forgets_nothing() -> None:
    deliveries = Deliveries()
    assert deliveries.enter("a", NOON)
    assert not deliveries.enter("a", later(-3600))
