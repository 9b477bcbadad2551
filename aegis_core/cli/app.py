"""The command `aegis` and its subcommands."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from aegis_core import __version__
from aegis_core.errors import AegisError, AlreadyRunning, ConfigError

from . import answers, incidents, standings
from .demo import demo
from .doctor import doctor
from .evaluate import evaluate
from .failures import CoreAway
from .output import complain
from .serve import serve
from .simulate import simulate

app = typer.Typer(
    name="aegis",
    help="An agent that heals the containers of a Docker host, and proves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
app.command()(demo)
app.add_typer(incidents.commands, name="incidents")
app.command()(answers.approve)
app.command()(answers.reject)
app.command()(answers.comment)
app.command()(answers.postmortem)
app.command()(standings.maintenance)
app.command()(standings.quarantine)
app.command()(standings.release)
app.command()(standings.standings)
app.command()(incidents.runbook)
app.command()(simulate)
app.command()(doctor)
app.command("eval")(evaluate)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aegis {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """An agent that heals the containers of a Docker host, and proves it."""


def main() -> None:
    """Run a command. Exit code 0: done; 1: it failed; 2: a setting or argument cannot be used; 3: no Aegis answers."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character must not end a command
    try:
        app()
    except AegisError as error:
        complain(str(error))
        sys.exit(_exit_code(error))


def _exit_code(error: AegisError) -> int:
    if isinstance(error, CoreAway):
        return 3
    return 2 if isinstance(error, ConfigError | AlreadyRunning) else 1
