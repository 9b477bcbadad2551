"""The commands that each target has been described with, so that it can be run by an earlier one again.

What an image is to a container, a command is to a target here. The process file holds the present one only.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from .config import TargetSpec

MOST_PROGRAMS: Final = 20
_COMMANDS: Final = TypeAdapter(list[tuple[str, ...]])


class Programs:
    """A file for each target, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remember(self, spec: TargetSpec) -> None:
        """Keep the command of a definition. Raises OSError."""
        known = self._commands(spec.name)
        if spec.command in known:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path(spec.name).with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_COMMANDS.dump_json([*known, spec.command][-MOST_PROGRAMS:]))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._path(spec.name))

    def of(self, spec: TargetSpec) -> Mapping[str, tuple[str, ...]]:
        """Return the commands that a target was ever described with, by what they are to it: its program."""
        commands = [*self._commands(spec.name), spec.command]
        return {spec.model_copy(update={"command": command}).program: command for command in commands}

    def _commands(self, name: str) -> list[tuple[str, ...]]:
        try:
            return _COMMANDS.validate_json(self._path(name).read_bytes())
        except (FileNotFoundError, ValidationError):  # a file that was spoiled is begun anew: it is no one's only copy
            return []

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
