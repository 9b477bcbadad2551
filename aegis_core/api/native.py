"""The native webhook: our own form, in the wire names that users rely on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import AliasChoices, BaseModel, Field, field_validator

from aegis_core.adapters.intake import document
from aegis_core.domain.logs import clean_line, clean_lines
from aegis_core.domain.signal import Signal, fault_of, severity_of
from aegis_core.errors import PayloadInvalid, PayloadUnreadable

NAME: Final = "native"
TARGET = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}$"


class NativeWebhook(BaseModel):
    """The native payload. Unknown fields are passed over; entries of `metrics` that are no measurement are left out."""

    incident_id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,119}$")
    container_name: str = Field(pattern=TARGET)
    alert_type: str = Field(min_length=1, max_length=128, validation_alias=AliasChoices("alert_type", "fault"))
    severity: str = Field("warning", max_length=32)
    logs: str | list[str] = ""
    timestamp: datetime | None = None
    metrics: Mapping[str, Any] = {}

    @field_validator("metrics", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    def signal(self, now: datetime) -> Signal:
        """Translate into a signal; a time without a zone is taken for UTC."""
        at = self.timestamp or now
        return Signal(
            target=self.container_name,
            fault=fault_of(self.alert_type),
            severity=severity_of(self.severity),
            at=(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC),
            source=NAME,
            alert_type=clean_line(self.alert_type),
            logs=clean_lines(self.logs),
            metrics=document.numbers_of(self.metrics),
            incident_id=self.incident_id,
        )


def signal(body: bytes, now: datetime) -> Signal:
    """Read the native webhook. Raises PayloadInvalid with a sentence."""
    content = document.read(body)
    if not isinstance(content, dict):
        raise PayloadUnreadable("The body has to be a JSON object with container_name and alert_type.")
    try:
        return document.shaped(NativeWebhook, content).signal(now)
    except (ValueError, OverflowError) as error:
        raise PayloadInvalid("A value in the body is out of range.") from error
