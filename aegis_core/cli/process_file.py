"""The demo's target for the embedded runtime, with the ports and the token of these settings filled in."""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aegis_core.settings import Settings

from .client import core_url

TARGET: Final = "buggy-app-v2"


def write_process_file(template: Path, path: Path, settings: Settings) -> None:
    """Write the file that the agent of the demo is given. Raises OSError."""
    target = tomllib.loads(template.read_text(encoding="utf-8"))["targets"][TARGET]
    port = settings.target_app_port
    env = {**target["env"], "APP_PORT": str(port), "AEGIS_URL": core_url(settings)}
    if settings.token:
        env["WEBHOOK_TOKEN"] = settings.token.get_secret_value()
    filled = {
        **target,
        "cwd": str((template.parent / target.get("cwd", ".")).resolve()),
        "env": env,
        "health_url": f"http://127.0.0.1:{port}/health",
    }
    lines = [f"[targets.{TARGET}]", *(f"{key} = {_toml(value)}" for key, value in filled.items())]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _toml(value: Any) -> str:
    """Write a value. JSON's strings, numbers and lists are TOML's too; tables are not."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(value[key])}" for key in value) + " }"
    return json.dumps(value, ensure_ascii=False)
