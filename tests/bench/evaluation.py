"""How good the brain is on recorded cases: the rules, and the ladder where a model is configured.

The cases are not part of the project: AEGIS_CASES names their folder, else `../shared/cases` beside the checkout.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aegis_core.adapters.cases import read_cases
from aegis_core.adapters.llm.prompt import VERSION as PROMPT
from aegis_core.brains import brain, rungs_of
from aegis_core.domain.diagnosis import Source
from aegis_core.domain.figures import Rate
from aegis_core.domain.score import Score, score
from aegis_core.domain.trial import question_of
from aegis_core.pipeline.evaluate import evaluate
from aegis_core.settings import load

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "cases"
TARGETS = {  # of the rules alone
    "root cause right": "≥ 80 %",
    "root cause, macro-F1": "",
    "action right": "≥ 70 %",
    "action acceptable": "",
    "action, macro-F1": "≥ 0.65",
    "wrong acts": "≤ 3 %",
    "left to a person": "",
    "calibration error": "≤ 0.10",
    "a case takes": "≤ 20 ms",
    "answered by": "",
}


def measure() -> RenderableType:
    """Ask about every case; says loudly where there are none."""
    folder = Path(os.environ.get("AEGIS_CASES") or BESIDE)
    if not any(folder.glob("**/*.json")):
        return Text(
            f"NO CASES: the brain was not measured. Set AEGIS_CASES to a folder; {folder} has none.", "bold red"
        )
    now = datetime.now(UTC)
    questions = [question_of(case, now) for case in read_cases(folder)]
    settings = load()
    asked: dict[str, Source | None] = {"rules": Source.RULES}
    if len(rungs_of(settings)) > 1:
        asked["ladder"] = None
    title = f"The brain on {len(questions)} cases, {now:%Y-%m-%d}, prompt {PROMPT}"
    table = Table("", *asked, "target of the rules", title=title, title_justify="left")
    columns = [_column(score(evaluate(questions, brain(settings, alone)))) for alone in asked.values()]
    for (name, target), *figures in zip(TARGETS.items(), *columns, strict=True):
        table.add_row(name, *figures, target)
    return table


def _column(found: Score) -> list[str]:
    """The figures in the order of `TARGETS`."""
    seconds, error = found.seconds, found.calibration.ece
    return [
        _share(found.root_cause),
        f"{found.root_cause_macro_f1:.2f}",
        _share(found.action),
        _share(found.action_acceptable),
        f"{found.action_macro_f1:.2f}",
        _share(found.wrong_act),
        _share(found.abstained),
        f"{error:.2f}" if error is not None else "–",
        f"{seconds.median * 1000:.0f} ms (p95 {seconds.p95 * 1000:.0f})" if seconds else "–",
        ", ".join(f"{name} {count}×" for name, count in found.answered_by.items()),
    ]


def _share(rate: Rate) -> str:
    if rate.share is None or rate.low is None or rate.high is None:
        return "–"
    return f"{rate.share:.0%} ({rate.hits} of {rate.of}, {rate.low:.0%} to {rate.high:.0%})"
