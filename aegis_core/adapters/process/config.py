"""The TOML file that describes the targets of the embedded runtime.

    [targets.buggy-app-v2]
    command = ["{python}", "-m", "shop.server"]     # the only key that is needed
    cwd = "."                                       # relative to the folder of this file
    env = { PORT = "8000", DATA = "{data_dir}" }    # all it gets, besides PATH and AEGIS_RUN
    memory_limit_mb = 256                           # enforced: what passes it is killed, exit code 137
    cpus = 1.0                                      # not enforced: what its CPU use is measured against
    health_url = "http://127.0.0.1:8000/health"     # healthy is an answer with status 200
    health_interval = 5.0                           # seconds between two checks (while starting: 0.5 s at most)
    health_timeout = 3.0                            # seconds until a check counts as failed
    health_retries = 3                              # failures in a row that make it unhealthy
    health_start_period = 10.0                      # seconds in which failures do not count yet
    labels = { "aegis.enable" = "true" }
    stop_timeout = 10.0                             # seconds between SIGTERM and SIGKILL
    depends_on = ["db"]                             # other targets of this file: trouble of theirs may be the cause
    restart = "no"                                  # the only policy: healing is what Aegis is for

In `command`, `cwd` and the values of `env`, `{python}` is the interpreter that runs Aegis, `{config_dir}` the folder
of this file, and `{data_dir}` a folder of the target's own that survives restarts. As in a container, nothing of the
agent's own environment reaches a target.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from aegis_core.domain.model import Value
from aegis_core.domain.target import HEALTH_URL_LABEL, Limits
from aegis_core.errors import ConfigError

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")  # Docker's rule for names; also a safe file name
MIB: Final = 1024 * 1024


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url


class TargetSpec(Value):
    """One target as its owner describes it, placeholders filled in. Times are in seconds."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: str
    command: tuple[str, ...] = Field(min_length=1)
    cwd: Path = Path()
    env: Mapping[str, str] = {}
    memory_limit_mb: float | None = Field(default=None, gt=0)
    cpus: float | None = Field(default=None, gt=0)
    health_url: Annotated[str, AfterValidator(_http)] | None = None
    health_interval: float = Field(default=5.0, gt=0)
    health_timeout: float = Field(default=3.0, gt=0)
    health_retries: int = Field(default=3, ge=1)
    health_start_period: float = Field(default=10.0, ge=0)
    labels: Mapping[str, str] = {}
    stop_timeout: float = Field(default=10.0, ge=0)
    depends_on: tuple[str, ...] = ()
    restart: Literal["no"] = "no"

    @property
    def limits(self) -> Limits:
        memory = int(self.memory_limit_mb * MIB) if self.memory_limit_mb else None
        return Limits(memory_bytes=memory, cpus=self.cpus)

    @property
    def published_health_url(self) -> str | None:
        """The URL that a verification may ask: the check's own, else the label's."""
        return self.health_url or self.labels.get(HEALTH_URL_LABEL)

    @property
    def definition(self) -> str:
        """SHA-256 over everything that is set, as 64 hex digits: another definition makes another target."""
        return _sha256(self.model_dump(mode="json", exclude_defaults=True))

    @property
    def program(self) -> str:
        """SHA-256 over the command, as 64 hex digits: what an image id is to a container."""
        return _sha256(list(self.command))


def _sha256(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def read_config(path: Path, data_root: Path) -> Mapping[str, TargetSpec]:
    """Read the targets by name; `{data_dir}` becomes a folder named after the target under `data_root`.

    Raises ConfigError with a sentence that names the file, the target and the key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The process file {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The process file {path} is not valid TOML: {error}.") from error
    unknown = sorted(set(document) - {"targets"})
    tables = document.get("targets", {})
    if unknown or not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(f"The process file {path} may hold [targets.NAME] tables only; found {unknown or 'others'}.")
    specs = {name: _spec(path, name, table, data_root / name) for name, table in tables.items()}
    _check_dependencies(path, specs)
    return specs


def _check_dependencies(path: Path, specs: Mapping[str, TargetSpec]) -> None:
    for spec in specs.values():
        unknown = [name for name in spec.depends_on if name not in specs or name == spec.name]
        if unknown:
            raise ConfigError(
                f"{path}: targets.{spec.name}.depends_on: {unknown[0]!r} is no other target of this file."
            )


def _spec(path: Path, name: str, table: Mapping[str, Any], data_dir: Path) -> TargetSpec:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{path}: {name!r} is no name for a target: use letters, digits, '_', '.' and '-'.")
    folder = path.resolve().parent
    places = {"{python}": sys.executable, "{config_dir}": str(folder), "{data_dir}": str(data_dir.resolve())}
    filled = {key: _filled(table[key], places) if key in {"command", "cwd", "env"} else table[key] for key in table}
    try:
        spec = TargetSpec.model_validate({**filled, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: targets.{name}.{key}: {first['msg']}.") from error
    return spec.model_copy(update={"cwd": folder / spec.cwd})


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    """Fill placeholders into strings, also inside lists and tables. Other braces stay: commands are full of them."""
    if isinstance(value, str):
        for placeholder, text in places.items():
            value = value.replace(placeholder, text)
        return value
    if isinstance(value, list):
        return [_filled(item, places) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, places) for key, item in value.items()}
    return value
