"""Settings of the target app, read once from the environment; nothing else here reads it."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

MIB = 1024 * 1024
HIGHEST_PORT = 65535


class SettingsError(ValueError):
    """A setting has a value that the app cannot work with; the message names it and says what is allowed."""


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured; percentages are 0–100, sizes are in MiB, times in seconds."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    aegis_url: str = "http://127.0.0.1:8001"
    webhook_token: str | None = None
    container_name: str = "buggy-app-v2"
    log_level: str = "INFO"
    memory_limit_mb: float | None = None
    cpu_limit: float | None = None
    disk_quota_mb: float = 64.0
    memory_threshold_percent: float = 85.0
    cpu_threshold_percent: float = 85.0
    latency_threshold_ms: float = 1000.0
    error_rate_threshold_percent: float = 20.0
    disk_threshold_percent: float = 90.0
    sustained_seconds: float = 5.0
    memory_sustained_seconds: float = 1.0
    cooldown_seconds: float = 60.0
    monitor_interval_seconds: float = 1.0
    webhook_timeout_seconds: float = 3.0
    traffic_interval_seconds: float = 0.5
    traffic_window_seconds: float = 10.0
    memory_hold_seconds: float = 120.0
    db_timeout_seconds: float = 10.0
    slow_query_seconds: float = 0.5

    @property
    def disk_quota_bytes(self) -> int:
        return int(self.disk_quota_mb * MIB)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings that these environment variables describe; an empty value counts as not set.

    Raises SettingsError where a value cannot be used.
    """
    given = _Reader(environment)
    defaults = Settings(data_dir=Path())
    name = given.text("CONTAINER_NAME", defaults.container_name)
    return Settings(
        data_dir=Path(given.text("DATA_DIR", str(Path(tempfile.gettempdir(), name)))),
        host=given.text("APP_HOST", defaults.host),
        port=given.port("APP_PORT", defaults.port),
        aegis_url=given.url("AEGIS_URL", defaults.aegis_url),
        webhook_token=given.secret("WEBHOOK_TOKEN"),
        container_name=name,
        log_level=given.level("LOG_LEVEL", defaults.log_level),
        memory_limit_mb=given.optional("MEMORY_LIMIT_MB"),
        cpu_limit=given.optional("CPU_LIMIT"),
        disk_quota_mb=given.number("DISK_QUOTA_MB", defaults.disk_quota_mb),
        **{field: given.number(field.upper(), getattr(defaults, field), zero=True) for field in _PLAIN_NUMBERS},
    )


def read_settings() -> Settings:
    """The settings of this process; raises SettingsError."""
    return settings_from(os.environ)


_PLAIN_NUMBERS = (  # the variable of each is its name in capitals
    "memory_threshold_percent",
    "cpu_threshold_percent",
    "latency_threshold_ms",
    "error_rate_threshold_percent",
    "disk_threshold_percent",
    "sustained_seconds",
    "memory_sustained_seconds",
    "cooldown_seconds",
    "monitor_interval_seconds",
    "webhook_timeout_seconds",
    "traffic_interval_seconds",
    "traffic_window_seconds",
    "memory_hold_seconds",
    "db_timeout_seconds",
    "slow_query_seconds",
)


class _Reader:
    """Turns environment variables into values, or into a sentence that says which one is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default

    def number(self, name: str, default: float, zero: bool = False) -> float:
        raw = self.text(name, str(default))
        try:
            value = float(raw)
        except ValueError:
            raise SettingsError(f"{name} must be a number, got {raw!r}") from None
        if not (0 < value < float("inf") or (zero and value == 0)):
            raise SettingsError(f"{name} must be {'0 or more' if zero else 'more than 0'}, got {raw!r}")
        return value

    def optional(self, name: str) -> float | None:
        return self.number(name, 0.0) if self.text(name, "") else None

    def port(self, name: str, default: int) -> int:
        raw = self.text(name, str(default))
        if not raw.isdecimal() or int(raw) > HIGHEST_PORT:
            raise SettingsError(f"{name} must be a port between 0 (any free one) and {HIGHEST_PORT}, got {raw!r}")
        return int(raw)

    def url(self, name: str, default: str) -> str:
        raw = self.text(name, default).rstrip("/")
        parts = urlsplit(raw)
        try:
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # urlsplit finds a bad port only when it is asked for
            usable = False
        if not usable:
            raise SettingsError(f"{name} must be an address like http://127.0.0.1:8001, got {raw!r}")
        return raw

    def level(self, name: str, default: str) -> str:
        raw = self.text(name, default).upper()
        if raw not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingsError(f"{name} must be DEBUG, INFO, WARNING or ERROR, got {raw!r}")
        return raw

    def secret(self, name: str) -> str | None:
        """The value itself, or the content of the file that NAME_FILE points to."""
        path = self.text(f"{name}_FILE", "")
        if not path:
            return self.text(name, "") or None
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE points to {path}, which cannot be read: {error}") from error
