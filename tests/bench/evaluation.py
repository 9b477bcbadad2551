"""How good the brain is on recorded cases: the rules, and the ladder where a model is configured.

The cases are not part of the project: AEGIS_CASES names their folder, else `../shared/cases` beside the checkout.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aegis_core.adapters.cases import read_cases
from aegis_core.adapters.llm.prompt import VERSION as PROMPT
from aegis_core.adapters.llm.rules import RulesRung
from aegis_core.brains import Rungs, brain, ladder, rungs_of
from aegis_core.domain.diagnosis import Source
from aegis_core.domain.figures import Rate
from aegis_core.domain.score import Score, score
from aegis_core.domain.trial import Question, question_of
from aegis_core.pipeline.evaluate import evaluate
from aegis_core.ports import Brain
from aegis_core.settings import Settings, load

from .unseen import Apart, unseen

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
    settings, questions = load(), _questions()
    asked = {"rules": brain(settings, Source.RULES)}
    if _models(settings):
        asked["ladder"] = brain(settings)
    return _table(questions, asked) if questions else _none()


def measure_unseen() -> RenderableType:
    """Ask about every case as if it was new to the rules. That says something for a hundred cases or more."""
    settings, questions = load(), _questions()
    rules = unseen(questions)
    asked: dict[str, Brain] = {"rules": Apart(rules)}
    if models := _models(settings):
        asked["ladder"] = Apart({key: ladder([*models, own]) for key, own in rules.items()})
    return _table(questions, asked, ", each as if it was new to the rules") if questions else _none()


MEASURES = {"eval": measure, "unseen": measure_unseen}


def _folder() -> Path:
    return Path(os.environ.get("AEGIS_CASES") or BESIDE)


def _questions() -> Sequence[Question]:
    now = datetime.now(UTC)
    return [question_of(case, now) for case in read_cases(_folder())] if any(_folder().glob("**/*.json")) else []


def _none() -> Text:
    told = f"NO CASES: the brain was not measured. Set AEGIS_CASES to a folder; {_folder()} has none."
    return Text(told, "bold red")


def _models(settings: Settings) -> Rungs:
    return [rung for rung in rungs_of(settings) if not isinstance(rung, RulesRung)]


def _table(questions: Sequence[Question], asked: Mapping[str, Brain], how: str = "") -> Table:
    title = f"The brain on {len(questions)} cases{how}, {datetime.now(UTC):%Y-%m-%d}, prompt {PROMPT}"
    table = Table("", *asked, "target of the rules", title=title, title_justify="left")
    columns = [_column(score(evaluate(questions, one))) for one in asked.values()]
    for (name, target), *figures in zip(TARGETS.items(), *columns, strict=True):
        table.add_row(name, *figures, "" if how else target)
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
