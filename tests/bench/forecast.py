"""Forecasts of OOM kills, on containers that really leak, and the kills that are prevented by acting on them."""

import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event

from rich.table import Table

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.bootstrap import Agent, Parts, build
from aegis_core.domain.change import Change
from aegis_core.domain.forecast import forecast, leak_of
from aegis_core.domain.target import TargetState, Usage
from aegis_core.errors import RuntimeProblem
from aegis_core.ports import Filter, Stopping
from aegis_core.settings import load

from .leaking import LIMIT_MB, Kind, Leaking, made, record

LIMIT = LIMIT_MB * 2**20
LEAD_SECONDS = 120.0
SPEEDS = (15.0, 45.0, 120.0)
LEAKS = tuple(Kind("leak", seconds) for seconds in SPEEDS for _ in range(4))
HARMLESS = (
    Kind("steady", 1), Kind("steady", 1), Kind("sawtooth", 12), Kind("sawtooth", 25), Kind("sawtooth", 50),
    Kind("steps", 8), Kind("steps", 20), Kind("start_up", 3), Kind("start_up", 15),
)  # fmt: skip
ONCE = tuple(Kind("once", seconds) for seconds, times in ((15.0, 8), (45.0, 8), (120.0, 4)) for _ in range(times))
LONGEST = 150.0
PAUSE = 0.5  # between two samples of a container; an older engine looks once a second, so it is one sample a second


@dataclass
class Watched:
    """A container that is run, and sampled until it is killed or its time is over."""

    one: Leaking
    runtime: DockerRuntime
    series: list[Usage] = field(default_factory=list)
    state: TargetState | None = None

    def watch(self) -> None:
        self.one.run()
        self.state = self.runtime.find(self.one.name)
        assert self.state, f"{self.one.name} is not there"
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            try:
                usage = self.runtime.usage(self.state.ref)
            except RuntimeProblem:
                usage = None
            if usage:
                self.series.append(usage)
            elif not self.one.running:
                return
            time.sleep(PAUSE)

    def error_at_half_way(self) -> float | None:
        """How far the forecast at half-way was off, as a share of the time that was left; None without a forecast."""
        killed = self.one.killed_at
        assert killed, f"{self.one.name} was not killed"
        half = self.one.started_at + (killed - self.one.started_at) / 2
        seen = forecast([usage for usage in self.series if usage.at <= half], LIMIT, half)
        left = (killed - half).total_seconds()
        return abs(seen.seconds_to_limit - left) / left if seen else None

    def alarms(self) -> int:
        """At how many samples it would have been acted on."""
        prefixes = (self.series[:end] for end in range(1, len(self.series) + 1))
        return sum(leak_of(self.state, seen, LEAD_SECONDS, seen[-1].at) is not None for seen in prefixes)


def measure() -> Table:
    """Sample leaking and harmless containers that no agent may touch."""
    runtime = DockerRuntime()
    with made(f"aegis-forecast-{uuid.uuid4().hex[:6]}", LEAKS + HARMLESS) as containers:
        watched = [Watched(one, runtime) for one in containers]
        with ThreadPoolExecutor(len(watched)) as pool:
            list(pool.map(Watched.watch, watched))
        table = Table("Forecast at half-way", "killed", "forecast", "median error (target ≤ 20 %)", "worst")
        for seconds in SPEEDS:
            _row(
                table,
                f"leak, {seconds:g} s to the limit",
                [one for one in watched if one.one.kind == Kind("leak", seconds)],
            )
        _row(table, "all leaks", watched)
        for what in sorted({kind.what for kind in HARMLESS}):
            alarms = [one.alarms() for one in watched if one.one.kind.what == what]
            told = f"{sum(alarms)} false alarms (target 0)"
            table.add_row(f"{what}, {len(alarms)} containers", "", "", told, "")
    runtime.close()
    return table


def _row(table: Table, name: str, leaks: Sequence[Watched]) -> None:
    errors = [one.error_at_half_way() for one in leaks if one.one.kind.what == "leak"]
    known = [error for error in errors if error is not None]
    figures = (f"{median(known):.1%}", f"{max(known):.1%}") if known else ("-", "-")
    table.add_row(name, str(len(errors)), f"{len(known)} of {len(errors)}", *figures)


class OnlyOurs(DockerRuntime):
    """The engine as if only our containers were on it: others on this machine may be testing as well."""

    def __init__(self, prefix: str) -> None:
        super().__init__(inspect_all=True)
        self._prefix = prefix

    def targets(self) -> Sequence[TargetState]:
        return [state for state in super().targets() if state.ref.name.startswith(self._prefix)]

    def changes(self, stopping: Stopping) -> Iterator[Change]:
        ours = self._prefix
        return (one for one in super().changes(stopping) if one.target is None or one.target.name.startswith(ours))


def prevent(folder: Path) -> Table:
    """Let a real agent watch containers that leak, once each; count whom the kernel killed and whom Aegis restarted.

    The agent watches all containers of one prefix; without a label no other agent on this machine touches them.
    """
    prefix = f"aegis-prevent-{uuid.uuid4().hex[:6]}"
    settings = load(data_dir=folder / "prevent", runtime="docker", watch="all", llm_api_key=None, ollama_url="")
    runtime = OnlyOurs(prefix)
    with (
        record(folder / "events.txt") as happened,
        build(settings, Parts(runtime=runtime)) as agent,
        made(prefix, ONCE + HARMLESS) as containers,
        ThreadPoolExecutor(len(containers)) as pool,
    ):
        list(pool.map(Leaking.run, containers))
        Event().wait(LONGEST)
        table = Table(
            "Acting before the kill", "containers", "killed", "prevented (target ≥ 95 %)", "foreseen (median)"
        )
        for seconds in (*SPEEDS, None):
            ours = [one.name for one in containers if one.kind.what == "once" and seconds in (None, one.kind.seconds)]
            killed = {name for name in ours if happened("oom", name)}
            saved = {name for name in ours if happened("restart", name)} - killed
            name = f"leak, {seconds:g} s to the limit" if seconds else "all leaks"
            prevented = f"{len(saved)} ({len(saved) / len(ours):.0%})"
            table.add_row(name, str(len(ours)), str(len(killed)), prevented, _foreseen(agent, set(ours)))
        harmless = [one.name for one in containers if one.kind.what != "once"]
        touched = sum(happened("restart", name) for name in harmless)
        table.add_row("harmless", str(len(harmless)), "", f"{touched} acted on (target 0)", "")
    runtime.close()
    return table


def _foreseen(agent: Agent, names: set[str]) -> str:
    """How long before the kill the incidents were opened, by their own forecast."""
    incidents, _ = agent.services.incidents.list(Filter(), 200, 0)
    leads = [
        one.signal.metrics["oom_in_seconds"]
        for one in incidents
        if one.target in names and "oom_in_seconds" in one.signal.metrics
    ]
    return f"{median(leads):.0f} s before" if leads else "-"
