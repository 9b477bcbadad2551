"""The settings, and the only reader of the environment. `.env.example` describes each one for users."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AliasChoices,
    AnyHttpUrl,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from aegis_core.domain.impact import Rates
from aegis_core.domain.leave import Autonomy
from aegis_core.domain.mapping import TARGET_LABELS
from aegis_core.domain.policy import Policy
from aegis_core.domain.target import Watch
from aegis_core.errors import ConfigError

DEFAULT_LLM_BASE_URL: Final = "https://go.fastrouter.ai/api/v1"

SECRETS: Final = (
    "llm_api_key",
    "slack_webhook_url",
    "slack_app_token",
    "token",
    "webhook_secret",
    "grafana_secret",
    "pagerduty_secret",
)
"""Each of these may also be given as AEGIS_<NAME>_FILE: the path of a file that holds the value."""

BARE: Final = frozenset({"TARGET_APP_PORT", "DASHBOARD_PORT", "DEMO_ONCE"})
"""Settings of the demo that are read without the prefix as well, because docker-compose.yml reads them too."""


class RuntimeChoice(StrEnum):
    """Where the targets run. `auto`: Docker where an engine answers, else the embedded process runtime."""

    AUTO = "auto"
    DOCKER = "docker"
    PROCESS = "process"


def _bare(name: str) -> AliasChoices:
    """Read a setting also without the prefix."""
    return AliasChoices(name, f"aegis_{name}")


class Settings(BaseSettings):
    """Every setting of the core, read from AEGIS_* variables and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="AEGIS_",
        env_file=".env",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    host: str = "127.0.0.1"
    port: int = Field(8001, ge=1, le=65535)
    data_dir: Path = Path("data")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    token: SecretStr | None = None  # required of whoever posts, when set
    dashboard_url: str = ""  # linked from notices

    webhook_secret: SecretStr | None = None  # of Standard Webhooks; comma-separated in a rotation, like the next two
    grafana_secret: SecretStr | None = None
    pagerduty_secret: SecretStr | None = None
    sns_topics: Annotated[frozenset[str], NoDecode] = frozenset()  # comma-separated ARNs; SNS may bring no other
    sns_certificate_file: Path | None = None  # PEM: what SNS signs with
    target_labels: Annotated[tuple[str, ...], NoDecode] = TARGET_LABELS  # which labels of an alert may name its target

    runtime: RuntimeChoice = RuntimeChoice.AUTO
    processes: Path | None = None  # the TOML file that describes the targets of the process runtime
    docker_host: str = ""  # empty: what the docker client uses by default
    docker_timeout_seconds: int = Field(15, gt=0)
    store_url: str = ""  # empty: aegis.db in the data folder
    workers: int = Field(100, ge=1, le=1000)
    debounce_seconds: float = Field(2.0, ge=0)  # how long a symptom may go away by itself
    sense_seconds: float = Field(2.0, gt=0)  # pause between two looks at the targets

    watch: Watch = Watch.LABELED
    autonomy: Autonomy = Autonomy.AUTO
    confidence_threshold: float = Field(0.7, ge=0, le=1)
    cooldown_seconds: float = Field(60.0, ge=0)
    max_attempts: int = Field(3, ge=1)
    attempt_window_seconds: float = Field(600.0, gt=0)
    quarantine_seconds: float = Field(3600.0, ge=0)
    approval_seconds: float = Field(1800.0, gt=0)  # how long people are waited for
    dry_run: bool = False
    own_names: Annotated[frozenset[str], NoDecode] = frozenset()  # comma-separated names never acted on

    verify_attempts: int = Field(5, ge=1)
    verify_wait_seconds: float = Field(1.0, ge=0)
    verify_wait_factor: float = Field(1.5, ge=1)
    verify_timeout_seconds: float = Field(5.0, gt=0)  # of one probe of a health URL
    verify_limit_seconds: float = Field(120.0, gt=0)
    stability_seconds: float = Field(10.0, ge=0)
    memory_percent: float = Field(85.0, gt=0, le=100)
    cpu_percent: float = Field(85.0, gt=0, le=100)
    latency_seconds: float = Field(1.0, gt=0)
    forecast_lead_seconds: float = Field(120.0, ge=0)  # how long before a foreseen OOM kill it is acted

    llm_base_url: str = DEFAULT_LLM_BASE_URL
    llm_api_key: SecretStr | None = None
    llm_model: str = "openai/gpt-4o-mini"
    llm_timeout_seconds: float = Field(30.0, gt=0)
    llm_evidence_characters: int = Field(1_200, ge=400, le=50_000)  # of every model; large ones can read more
    ollama_url: str = ""  # such as http://127.0.0.1:11434; empty: this rung is left out
    ollama_model: str = "qwen2.5-coder:1.5b"
    ollama_timeout_seconds: float = Field(60.0, gt=0)

    embedding_model: str = Field("", max_length=128)  # of the same provider as the brain; empty: search by words alone

    slack_webhook_url: SecretStr | None = None
    slack_app_token: SecretStr | None = None  # questions in Slack get buttons, listened to by Socket Mode

    target_app_port: int = Field(8000, ge=1, le=65535, validation_alias=_bare("target_app_port"))
    dashboard_port: int = Field(8501, ge=1, le=65535, validation_alias=_bare("dashboard_port"))
    demo_once: bool = Field(False, validation_alias=_bare("demo_once"))

    cost_critical: float = Field(10_000.0, ge=0)  # dollars a minute
    cost_important: float = Field(1_000.0, ge=0)
    cost_supporting: float = Field(100.0, ge=0)
    manual_mttr_minutes: float = Field(30.0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: Any) -> Any:
        for name in ("own_names", "sns_topics", "target_labels"):
            if isinstance(values.get(name), str):
                values[name] = listed(values[name])
        return values

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("llm_base_url", "ollama_url", "dashboard_url", "slack_webhook_url")
    @classmethod
    def _is_a_url(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        try:
            if text:
                TypeAdapter(AnyHttpUrl).validate_python(text)
        except ValidationError:
            raise ValueError("has to be an address that begins with http:// or https://") from None
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then secret files, then the environment, then `.env`."""
        return init_settings, _SecretFiles(settings_cls), env_settings, dotenv_settings

    @property
    def database_url(self) -> str:
        """The store, in the data folder unless said otherwise."""
        return self.store_url or f"sqlite:///{self.data_dir.absolute() / 'aegis.db'}"

    @property
    def runbook_path(self) -> Path:
        return self.data_dir / "runbook.json"

    @property
    def evaluations_path(self) -> Path:
        return self.data_dir / "evaluations"

    def policy(self, own_names: frozenset[str] = frozenset()) -> Policy:
        """The part that bounds what Aegis does; `own_names` are added to the configured ones."""
        return Policy(
            watch=self.watch,
            autonomy=self.autonomy,
            confidence_threshold=self.confidence_threshold,
            cooldown_seconds=self.cooldown_seconds,
            max_attempts=self.max_attempts,
            attempt_window_seconds=self.attempt_window_seconds,
            quarantine_seconds=self.quarantine_seconds,
            approval_seconds=self.approval_seconds,
            dry_run=self.dry_run,
            own_names=self.own_names | own_names,
        )

    def rates(self) -> Rates:
        """The constants of the impact formula."""
        return Rates(
            critical=self.cost_critical,
            important=self.cost_important,
            supporting=self.cost_supporting,
            manual_mttr_minutes=self.manual_mttr_minutes,
        )


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads AEGIS_<SECRET>_FILE, so that a secret need not stand in the environment (Docker secrets)."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        paths = _SecretPaths()
        return {name: _content(name, path) for name in SECRETS if (path := getattr(paths, f"{name}_file"))}


class _SecretPaths(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="AEGIS_", env_file=".env", env_ignore_empty=True, extra="ignore")

    llm_api_key_file: Path | None = None
    slack_webhook_url_file: Path | None = None
    slack_app_token_file: Path | None = None
    token_file: Path | None = None
    webhook_secret_file: Path | None = None
    grafana_secret_file: Path | None = None
    pagerduty_secret_file: Path | None = None


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated value."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _content(name: str, path: Path) -> str:
    variable = f"AEGIS_{name.upper()}_FILE"
    try:
        content = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{variable}: {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{variable}: {path} is no text in UTF-8") from None
    if not content:  # an empty token would let everybody in
        raise ConfigError(f"{variable}: {path} is empty")
    return content


def load(**overrides: Any) -> Settings:
    """Read the settings. Raises ConfigError with a sentence for each setting that cannot be used."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        told = [f"{_variable(one['loc'])}: {one['msg']}" for one in error.errors()]
        raise ConfigError("; ".join(told)) from error


def _variable(place: tuple[int | str, ...]) -> str:
    name = "_".join(str(part) for part in place).upper()
    return name if name.startswith("AEGIS_") or name in BARE else f"AEGIS_{name}"
