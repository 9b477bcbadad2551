"""Who may post: each family by its own signature where a secret is set for it, else by the token."""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from threading import Lock
from typing import TYPE_CHECKING, Final

from aegis_core.errors import DeliveryRepeated, SignatureInvalid, StoreUnavailable

from . import cloudwatch_sns, document, grafana, pagerduty_events_v2, pagerduty_v3
from .signatures import WINDOW, check_grafana, check_pagerduty, check_sns, check_standard

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

KEPT: Final = 2 * WINDOW
"""How long an id is remembered: stamped 5 minutes ahead, a delivery could be sent again for 10."""

MOST_KEPT: Final = 200_000
_STANDARD: Final = "webhook-signature"
_OWN_HEADER: Final = "x-aegis-token"


@dataclass(frozen=True)
class Secrets:
    """What senders have to prove that they know. Several of one kind: the old and the new one during a rotation."""

    token: str | None = None
    standard: Sequence[bytes] = ()  # keys of Standard Webhooks
    grafana: Sequence[str] = ()
    pagerduty: Sequence[str] = ()
    sns_topics: frozenset[str] = frozenset()  # ARNs; SNS may bring something of these topics only
    sns_keys: "Sequence[RSAPublicKey]" = ()

    @property
    def signed(self) -> bool:
        """Whether any family has to sign."""
        return bool(self.standard or self.grafana or self.pagerduty or self.sns_keys)


class Deliveries:
    """Remembers the ids of deliveries, so that none is taken twice. Bounded, and safe for threads."""

    def __init__(self, most: int = MOST_KEPT, kept: timedelta = KEPT) -> None:
        self._most, self._kept = most, kept
        self._seen: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = Lock()

    def enter(self, delivery: str, now: datetime) -> bool:
        """Remember an id; False where it is known already.

        Raises StoreUnavailable where no more can be remembered: what cannot be guarded is not taken.
        """
        with self._lock:
            while self._seen and now - next(iter(self._seen.values())) > self._kept:
                self._seen.popitem(last=False)
            mark = _mark(delivery)
            if mark in self._seen:
                return False
            if len(self._seen) >= self._most:
                raise StoreUnavailable("more deliveries than can be remembered")
            self._seen[mark] = now
            return True

    def forget(self, delivery: str) -> None:
        """Its delivery was not taken in after all, and may come again."""
        with self._lock:
            self._seen.pop(_mark(delivery), None)


def _mark(delivery: str) -> bytes:
    return sha256(delivery.encode("utf-8", "replace")).digest()


class Gate:
    """Lets deliveries in. It keeps nothing but the ids of those that have one."""

    def __init__(self, secrets: Secrets = Secrets(), deliveries: Deliveries | None = None) -> None:
        self._secrets = secrets
        self._deliveries = deliveries or Deliveries()

    @contextmanager
    def admitted(self, family: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Iterator[bool]:
        """Check who posts, and hold the delivery's id while it is taken in; it is forgotten where that fails.

        Gives False for a delivery that has been taken in already and whose sender promises to repeat itself.
        Raises SignatureInvalid, DeliveryRepeated (a signed one that nobody but an eavesdropper sends again), and
        StoreUnavailable.
        """
        signed = self._check(family, headers, body, now)
        delivery = signed or _repeatable(family, headers, body)
        if not delivery:
            yield True
            return
        fresh = self._deliveries.enter(delivery, now)
        if signed and not fresh:
            raise DeliveryRepeated
        with ExitStack() as undo:  # what could not be taken in may come again
            if fresh:
                undo.callback(self._deliveries.forget, delivery)
            yield fresh
            undo.pop_all()

    def person(self, headers: Mapping[str, str]) -> None:
        """Check that a person who decides something knows the token, where one is set. Raises SignatureInvalid."""
        self._check_token(_tokens(headers))

    def _check(self, family: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str | None:
        """Returns the id of a delivery that must not be taken twice."""
        secrets = self._secrets
        if family == grafana.NAME and secrets.grafana:
            check_grafana(headers, body, secrets.grafana, now)
        elif family == pagerduty_v3.NAME and secrets.pagerduty:
            check_pagerduty(headers, body, secrets.pagerduty)
        elif family == cloudwatch_sns.NAME:
            self._check_sns(headers, body)
        elif secrets.standard and (_STANDARD in headers or secrets.token is None):
            return check_standard(headers, body, secrets.standard, now)
        elif family == pagerduty_events_v2.NAME and secrets.token:
            self._check_token([*_tokens(headers), _routing_key(body)])
        else:
            self._check_token(_tokens(headers))
        return None

    def _check_token(self, given: Sequence[str]) -> None:
        token = self._secrets.token
        if token is None and self._secrets.signed:
            raise SignatureInvalid(
                "A secret is set for another family; for this one AEGIS_TOKEN has to be set as well."
            )
        if token is None:
            return
        if not any(compare_digest(one.encode("utf-8", "replace"), token.encode()) for one in given):
            raise SignatureInvalid("A bearer token is required: send the header Authorization: Bearer <AEGIS_TOKEN>.")

    def _check_sns(self, headers: Mapping[str, str], body: bytes) -> None:
        """Its topic has to be on the list, whoever signed: every customer of Amazon can have SNS sign something."""
        secrets = self._secrets
        envelope = document.entries(body)
        raw = headers.get(cloudwatch_sns.RAW, "").lower() == "true"
        topic = headers.get(cloudwatch_sns.TOPIC, "") if raw else str(envelope.get("TopicArn", ""))
        if topic not in secrets.sns_topics:
            raise SignatureInvalid("The topic is not one of AEGIS_SNS_TOPICS.")
        if secrets.sns_keys:
            check_sns(envelope, secrets.sns_keys)
        elif secrets.token is None:
            raise SignatureInvalid(
                "SNS needs AEGIS_SNS_CERTIFICATE_FILE, or AEGIS_TOKEN as the password in its address."
            )
        else:
            self._check_token(_tokens(headers))


def _repeatable(family: str, headers: Mapping[str, str], body: bytes) -> str:
    """The id of a delivery that its sender repeats until it has heard an answer; empty where it has none."""
    name = _DELIVERIES[family](headers, body) if family in _DELIVERIES else ""
    return f"{family}:{name}" if name else ""


_DELIVERIES: Final[Mapping[str, Callable[[Mapping[str, str], bytes], str]]] = {
    cloudwatch_sns.NAME: cloudwatch_sns.delivery,
    pagerduty_v3.NAME: pagerduty_v3.delivery,
}


def _tokens(headers: Mapping[str, str]) -> list[str]:
    """Every place where senders can put a token: a bearer, the password of basic, the bare header, one of our own."""
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    given = [headers.get(_OWN_HEADER, "").strip()]
    if scheme.lower() == "basic":
        given.append(_password(rest.strip()))
    else:
        given.append(rest.strip() if scheme.lower() == "bearer" else scheme)
    return given


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8", "replace").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _routing_key(body: bytes) -> str:
    return str(document.entries(body).get(pagerduty_events_v2.ROUTING_KEY, ""))
