"""Signatures over the raw body, compared in constant time. Each check raises SignatureInvalid with a sentence."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aegis_core.errors import ConfigError, SignatureInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

WINDOW: Final = timedelta(minutes=5)
"""How far the time of a signature may be off, either way (Standard Webhooks)."""

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"
_MOST_SIGNATURES: Final = 16  # in one header: two keys during a rotation, and some room
_GRAFANA: Final = "x-grafana-alerting-signature"
_GRAFANA_TIME: Final = "x-grafana-alerting-timestamp"
_PAGERDUTY: Final = "x-pagerduty-signature"
_SNS_HOST: Final = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/[^\s]{0,300}")
_SNS_HASHES: Final[Mapping[str, str]] = {"1": "SHA1", "2": "SHA256"}
_SNS_SIGNED: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SNS_SUBSCRIPTION_SIGNED: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def standard_key(secret: str) -> bytes:
    """Read a secret of Standard Webhooks (`whsec_` and base64). Raises ConfigError."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError("AEGIS_WEBHOOK_SECRET: expected whsec_ followed by base64") from error
    if not key:
        raise ConfigError("AEGIS_WEBHOOK_SECRET: the secret is empty")
    return key


def sns_keys(path: Path) -> "tuple[RSAPublicKey, ...]":
    """Read the file of the certificates (PEM, one or more) that SNS signs with. Raises ConfigError."""
    # 6 MB that an agent to which SNS sends nothing need not carry.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    try:
        keys = [one.public_key() for one in load_pem_x509_certificates(path.read_bytes())]
    except OSError as error:
        raise ConfigError(f"AEGIS_SNS_CERTIFICATE_FILE: {path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError(f"AEGIS_SNS_CERTIFICATE_FILE: there is no certificate in PEM form in {path}") from error
    return tuple(key for key in keys if isinstance(key, RSAPublicKey))


def check_standard(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime) -> str:
    """Check the headers of Standard Webhooks; returns the id of the delivery, which must not be taken twice."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    given = [headers.get(name, "") for name in names]
    missing = [name for name, value in zip(names, given, strict=True) if not value]
    if missing:
        raise SignatureInvalid(f"A signature is required (Standard Webhooks); missing: {', '.join(missing)}.")
    delivery, stamp, signatures = given
    _check_time(stamp, now)
    signed = f"{delivery}.{stamp}.".encode() + body
    right = [base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys]
    sent = [one.removeprefix(f"{_VERSION},") for one in signatures.split() if one.startswith(f"{_VERSION},")]
    _check_any(sent, right)
    return delivery


def check_grafana(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Check Grafana's HMAC: of the body, or of `{timestamp}:{body}` where it sends X-Grafana-Alerting-Timestamp."""
    stamp = headers.get(_GRAFANA_TIME, "")
    if stamp:
        _check_time(stamp, now)
    signed = f"{stamp}:".encode() + body if stamp else body
    _check_any([headers.get(_GRAFANA, "").strip().lower()], [_hex(secret, signed) for secret in secrets])


def check_pagerduty(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
    """Check the list of HMACs of the body in X-PagerDuty-Signature."""
    sent = [one.strip() for one in headers.get(_PAGERDUTY, "").split(",")]
    right = [_hex(secret, body) for secret in secrets]
    _check_any([one.removeprefix(f"{_VERSION}=") for one in sent if one.startswith(f"{_VERSION}=")], right)


def check_sns(envelope: Mapping[str, Any], keys: "Sequence[RSAPublicKey]") -> None:
    """Check the signature in an envelope of SNS against the pinned keys. The certificate that it names is not fetched.

    What is signed: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
    """
    if not _SNS_HOST.fullmatch(str(envelope.get("SigningCertURL", ""))):
        raise SignatureInvalid("SigningCertURL does not point to Amazon SNS.")
    algorithm = _SNS_HASHES.get(str(envelope.get("SignatureVersion", "")))
    if algorithm is None:
        raise SignatureInvalid("SignatureVersion has to be 1 or 2.")
    fields = _SNS_SIGNED if envelope.get("Type") == "Notification" else _SNS_SUBSCRIPTION_SIGNED
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in fields if envelope.get(name) is not None).encode()
    try:
        signature = base64.b64decode(str(envelope.get("Signature", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid("The signature does not match.") from error
    if not any(_verifies(key, signature, signed, algorithm) for key in keys):
        raise SignatureInvalid("The signature does not match.")


def _verifies(key: "RSAPublicKey", signature: bytes, signed: bytes, algorithm: str) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - loaded with the key
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415

    try:
        key.verify(signature, signed, PKCS1v15(), getattr(hashes, algorithm)())
    except InvalidSignature:
        return False
    return True


def _hex(secret: str, signed: bytes) -> str:
    return hmac.digest(secret.encode(), signed, sha256).hex()


def _check_any(sent: Sequence[str], right: Sequence[str]) -> None:
    """Compare every signature with every right one, and only then say whether any was right."""
    pairs = [(one, known) for one in sent[:_MOST_SIGNATURES] for known in right]
    matches = [hmac.compare_digest(one.encode(), known.encode()) for one, known in pairs]
    if not any(matches):
        raise SignatureInvalid("The signature is missing." if not any(sent) else "The signature does not match.")


def _check_time(stamp: str, now: datetime) -> None:
    """Compare seconds since 1970 with the clock."""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):  # noqa: PLR2004 - until the year 33658
        raise SignatureInvalid("The timestamp is no number of seconds.")
    if abs(int(stamp) - now.timestamp()) > WINDOW.total_seconds():
        raise SignatureInvalid(f"The timestamp is more than {WINDOW.total_seconds() / 60:g} minutes off.")
