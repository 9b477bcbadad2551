"""`aegis doctor`: looks at everything that Aegis depends on, and says what to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from aegis_core.errors import ConfigError
from aegis_core.settings import Settings, load

from . import checks_local, checks_remote
from .finding import Finding, Verdict, fail, ok
from .output import Tone, out, print_json

CHECKS: Final[Sequence[Callable[[Settings], Finding | None]]] = (
    checks_local.data_folder,
    checks_local.store,
    checks_local.runbook,
    checks_remote.engine,
    checks_remote.compose,
    checks_local.process_file,
    checks_remote.llm,
    checks_remote.ollama,
    checks_remote.slack,
    checks_remote.core,
)

_MARKS: Final[Mapping[Verdict, tuple[str, Tone]]] = {
    Verdict.OK: ("✔ ok", Tone.GOOD),
    Verdict.WARN: ("! warn", Tone.WARN),
    Verdict.FAIL: ("✘ fail", Tone.BAD),
}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check everything that Aegis depends on, and say what to do. Exit code 1 if something needed fails."""
    console = out()
    waiting = nullcontext() if as_json else console.status("Looking around …", spinner_style=Tone.WORK)
    with waiting:
        findings = list(_findings())
    well = all(one.verdict is not Verdict.FAIL for one in findings)
    if as_json:
        print_json({"ok": well, "checks": [vars(one) for one in findings]})
    else:
        console.print(_table(findings))
        console.print(_summary(findings))
    if not well:
        raise typer.Exit(1)


def _findings() -> Iterator[Finding]:
    try:
        settings = load()
    except ConfigError as error:
        yield fail("settings", str(error), "Correct it in the environment or in .env; .env.example describes each one.")
        return
    yield ok("settings", "they can be used")
    for check in CHECKS:
        finding = check(settings)
        if finding:
            yield finding


def _table(findings: Sequence[Finding]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for one in findings:
        mark, tone = _MARKS[one.verdict]
        grid.add_row(Text(mark, style=tone), one.name, Text(one.detail))
        if one.advice:
            grid.add_row("", "", Text(f"→ {one.advice}", style=tone))
    return grid


def _summary(findings: Sequence[Finding]) -> Text:
    failed = sum(one.verdict is Verdict.FAIL for one in findings)
    warned = sum(one.verdict is Verdict.WARN for one in findings)
    if failed:
        return Text(f"\nAegis cannot work like this: {failed} of {len(findings)} failed.", style=Tone.BAD)
    if warned:
        return Text(f"\nAegis can work. {warned} of {len(findings)} could be better.", style=Tone.WARN)
    return Text("\nAll is well.", style=Tone.GOOD)
