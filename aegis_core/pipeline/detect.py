"""Detect: a symptom becomes a stored signal, and with it an incident."""

from collections.abc import Callable

from aegis_core.domain.incident import Incident
from aegis_core.domain.logs import clean_line, clean_lines
from aegis_core.domain.masking import mask, mask_lines
from aegis_core.domain.signal import Signal
from aegis_core.ports import Clock, EventLog

SecretsOf = Callable[[str], frozenset[str]]
"""The environment values of the target of this name, as far as they are known without asking the runtime."""


def detect(signal: Signal, log: EventLog, secrets_of: SecretsOf, clock: Clock) -> tuple[Incident, bool]:
    """Clean and mask a signal and store it; returns the incident and whether it is new.

    Nothing that came in is stored unmasked. Raises StoreUnavailable: then the signal was not accepted.
    """
    secrets = secrets_of(signal.target)
    safe = signal.model_copy(
        update={
            "logs": mask_lines(clean_lines(signal.logs), secrets),
            "alert_type": mask(clean_line(signal.alert_type), secrets)[:128],
        }
    )
    return log.open(safe, clock())
