"""Speed, as ratios within one run: `make bench`.

Absolute figures of two machines, or of two days on one, cannot be compared; what is measured in the same run on the
same machine can. Every figure printed here was measured by this run.
"""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from aegis_core.telemetry import configure_logs

from . import concurrency, evaluation, forecast, healing, hostile, idle, intake, storm
from .core import core


def main(wanted: set[str]) -> None:
    configure_logs("ERROR")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        folder = Path(name)
        if wanted & {"intake", "idle"}:
            with core(folder) as (port, process):
                rss, cpu = idle.idle(process)
                console.print(f"Idle core: RSS {rss:.0f} MiB (target ≤ 120), CPU {cpu:.1f} % of a core (target ≤ 3)")
                console.print(intake.measure(port))
        if "concurrency" in wanted:
            one, many = concurrency.measure(folder)
            told = f"{concurrency.AT_ONCE} incidents at once, brain {concurrency.THINKING_SECONDS:g} s: {many:.2f} s"
            console.print(f"{told}; one: {one:.2f} s; ratio {many / one:.2f} (target ≤ 1.5)")
        if "storm" in wanted:
            console.print(storm.measure(folder))
        if "healing" in wanted:
            console.print(healing.measure(folder))
        if "reflex" in wanted:
            console.print(healing.reflex(folder))
        if "forecast" in wanted:
            console.print(forecast.measure())
            console.print(forecast.prevent(folder))
        for one in sorted(wanted & evaluation.MEASURES.keys()):
            console.print(evaluation.MEASURES[one]())
        if "hostile" in wanted:
            console.print(hostile.measure(folder))
        if "watching" in wanted:
            console.print(idle.watching(folder))


if __name__ == "__main__":
    main(
        set(sys.argv[1:])
        or {"intake", "idle", "concurrency", "storm", "healing", "reflex", "forecast", "eval", "hostile", "watching"}
    )
