"""The settings of the dashboard, from `AEGIS_*` in the environment or an `.env` file."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_PROJECT = Path(__file__).resolve().parent.parent


def _base_url(url: str) -> str:
    """Take a URL without its closing slash; raises ValueError where it is none."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"must begin with http:// or https://, got {url!r}")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class Settings(BaseSettings):
    """Where the core and the target app are, and how often they are asked."""

    model_config = SettingsConfigDict(
        env_prefix="AEGIS_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    url: BaseUrl = "http://127.0.0.1:8001"
    target_app_url: BaseUrl = "http://127.0.0.1:8000"
    samples_file: Path = _PROJECT / "data" / "sample_incidents.json"
    refresh_seconds: float = Field(default=2.0, ge=0.5, le=60.0)
    token: SecretStr | None = None  # what the core wants to know of whoever approves or comments; or in a file
    token_file: Path | None = None

    @property
    def secret(self) -> str:
        """The token, empty where there is none. Raises OSError where its file cannot be read."""
        if self.token_file is not None:
            return self.token_file.read_text(encoding="utf-8").strip()
        return self.token.get_secret_value() if self.token else ""


@cache
def load_settings() -> Settings:
    """Read the settings once per process; raises ValidationError that names what is wrong."""
    return Settings()
