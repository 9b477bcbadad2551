"""The checks of `aegis doctor` on this host's files. They change nothing."""

import os
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from aegis_core.adapters.process.config import read_config
from aegis_core.adapters.runbook.page import PageError, read_page
from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.incidents import Archive
from aegis_core.errors import ConfigError, StoreError
from aegis_core.settings import RuntimeChoice, Settings

from .finding import Finding, fail, ok, warn
from .words import counted


def data_folder(settings: Settings) -> Finding:
    """Everything that Aegis keeps is written there."""
    name, folder = "data folder", settings.data_dir.absolute()
    advice = "Give the user who runs Aegis the right to write there, or set AEGIS_DATA_DIR to another folder."
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not place.is_dir():
        return fail(name, f"{place} is not a folder", "Set AEGIS_DATA_DIR to a folder.")
    if place != folder:
        may = os.access(place, os.W_OK | os.X_OK)
        return ok(name, f"{folder} is made at the first start") if may else fail(name, f"{place} is read-only", advice)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ok(name, f"{folder} can be written")
    except OSError as error:
        return fail(name, f"{folder} cannot be written ({error.strerror})", advice)


def store(settings: Settings) -> Finding:
    """Open the store beside a running agent, and follow every hash chain."""
    try:
        path = _sqlite_file(settings.database_url)
        if path and not path.exists():
            return ok("store", f"{path} is made at the first start")
        with Database(settings.database_url, exclusive=False) as database:
            return _chains(Archive(database), database.path)
    except (StoreError, ConfigError) as error:
        return fail("store", str(error), "Look at the file and its folder; AEGIS_STORE_URL or AEGIS_DATA_DIR moves it.")


def _sqlite_file(url: str) -> Path | None:
    try:
        name = make_url(url).database
    except ArgumentError:
        return None  # the store says it better
    return Path(name) if name else None


def _chains(archive: Archive, path: Path) -> Finding:
    name = "event log"
    advice = "Somebody has changed the log by hand. Keep a copy of the file, and do not trust what follows that event."
    broken = archive.broken()
    if broken:
        first = broken[0]
        others = f"; {counted(len(broken) - 1, 'other incident')} as well" if len(broken) > 1 else ""
        return fail(name, f"{first.incident_id} breaks at event {first.version}: {first.reason}{others}", advice)
    return ok(name, f"{counted(archive.count(), 'event')} in {path}, every hash chain is whole")


def process_file(settings: Settings) -> Finding | None:
    """Describes the targets of the process runtime; None where that is not in question."""
    name = "process file"
    if settings.runtime is RuntimeChoice.DOCKER:
        return None
    if settings.processes is None:
        if settings.runtime is RuntimeChoice.AUTO:
            return None
        return fail(name, "AEGIS_PROCESSES is not set", "Set it to the TOML file that describes the targets.")
    try:
        targets = read_config(settings.processes, settings.data_dir / "processes" / "data")
    except ConfigError as error:
        return fail(name, str(error), "Correct the file; aegis_infra/processes.toml is one that works.")
    if not targets:
        return warn(name, f"{settings.processes} names no target", "Add a [targets.NAME] table with a command.")
    return ok(name, f"{settings.processes}: {', '.join(sorted(targets))}")


def runbook(settings: Settings) -> Finding:
    """The lessons."""
    path = settings.runbook_path.absolute()
    try:
        lessons = read_page(path.read_bytes()).lessons()
    except FileNotFoundError:
        return ok("runbook", f"{path} is made at the first start")
    except OSError as error:
        advice = "Give the user who runs Aegis the right to read and write it."
        return warn("runbook", f"{path} cannot be read ({error.strerror})", advice)
    except PageError as error:
        advice = "At the next start it is set aside and rebuilt from the event log; correct it by hand to keep it."
        return warn("runbook", f"{path} is no runbook ({error})", advice)
    return ok("runbook", f"{counted(len(lessons), 'lesson')} in {path}")
