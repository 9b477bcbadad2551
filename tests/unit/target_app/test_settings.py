"""The app's settings."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from aegis_infra.target_app.settings import SettingsError, settings_from


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = settings_from({})

    assert (settings.host, settings.port, settings.container_name) == ("127.0.0.1", 8000, "buggy-app-v2")
    assert settings.aegis_url == "http://127.0.0.1:8001"
    assert (settings.memory_threshold_percent, settings.cpu_threshold_percent) == (85, 85)
    assert (settings.sustained_seconds, settings.cooldown_seconds) == (5, 60)
    assert settings.memory_limit_mb is None
    assert settings.webhook_token is None
    assert settings.data_dir.name == "buggy-app-v2"


def test_every_value_can_be_set_and_an_empty_one_counts_as_not_set() -> None:
    settings = settings_from(
        {
            "APP_PORT": "0",
            "AEGIS_URL": "https://agent.example:8443/",
            "MEMORY_LIMIT_MB": "128",
            "CPU_LIMIT": "0.5",
            "DATA_DIR": "/srv/shop",
            "DISK_QUOTA_MB": "2.5",
            "COOLDOWN_SECONDS": "0",
            "WEBHOOK_TOKEN": "",
            "APP_HOST": " ",
        }
    )

    assert settings.port == 0
    assert settings.aegis_url == "https://agent.example:8443"
    assert (settings.memory_limit_mb, settings.cpu_limit) == (128, 0.5)
    assert settings.data_dir == Path("/srv/shop")
    assert settings.disk_quota_bytes == 2621440
    assert settings.cooldown_seconds == 0
    assert settings.webhook_token is None
    assert settings.host == "127.0.0.1"


def test_the_token_can_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")

    assert settings_from({"WEBHOOK_TOKEN_FILE": str(secret)}).webhook_token == "s3cret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_PORT", "eight"),
        ("APP_PORT", "65536"),
        ("AEGIS_URL", "127.0.0.1:8001"),
        ("AEGIS_URL", "http://host:port"),
        ("MEMORY_LIMIT_MB", "-1"),
        ("MEMORY_LIMIT_MB", "0"),
        ("CPU_LIMIT", "nan"),
        ("DISK_QUOTA_MB", "inf"),
        ("COOLDOWN_SECONDS", "a minute"),
        ("LOG_LEVEL", "LOUD"),
        ("WEBHOOK_TOKEN_FILE", "/does/not/exist"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings_from({name: value})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        settings_from({}).port = 1  # type: ignore[misc]
