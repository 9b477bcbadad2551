"""The settings of the dashboard, from `AEGIS_*` in the environment or an `.env` file."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
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

    model_config = SettingsConfigDict(env_prefix="AEGIS_", env_file=".env", extra="ignore", frozen=True)

    url: BaseUrl = "http://127.0.0.1:8001"
    target_app_url: BaseUrl = "http://127.0.0.1:8000"
    samples_file: Path = _PROJECT / "data" / "sample_incidents.json"
    refresh_seconds: float = Field(default=2.0, ge=0.5, le=60.0)


@cache
def load_settings() -> Settings:
    """Read the settings once per process; raises ValidationError that names what is wrong."""
    return Settings()
