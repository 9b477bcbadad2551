"""`aegis eval`: asks the brain questions whose answers are known, and says how good it is."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from aegis_core import __version__
from aegis_core.adapters.cases import read_cases
from aegis_core.adapters.evaluations import EvaluationFolder, write
from aegis_core.adapters.llm.prompt import VERSION as PROMPT
from aegis_core.adapters.store.past import closed_incidents
from aegis_core.brains import brain
from aegis_core.domain.diagnosis import Source
from aegis_core.domain.evaluation import OWN_INCIDENTS, Evaluation
from aegis_core.domain.replay import question_of_past
from aegis_core.domain.score import score
from aegis_core.domain.trial import Answered, Question, question_of
from aegis_core.errors import CaseInvalid, ConfigError
from aegis_core.pipeline.evaluate import evaluate as ask
from aegis_core.settings import Settings, load
from aegis_core.telemetry import silence_logs

from . import words
from .output import busy, complain, out
from .score_page import score_page

REMOTE_AT_ONCE: Final = 4
STANDARD_OUTPUT: Final = "-"
_THIS_HOST: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class BrainChoice(StrEnum):
    """Who is asked: one rung alone, or the ladder as it serves."""

    RULES = "rules"
    CLOUD = "cloud"
    OLLAMA = "ollama"
    LADDER = "ladder"


def evaluate(  # noqa: PLR0917 - typer makes options of them
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="A folder of cases, or one file.")] = None,
    chosen: Annotated[BrainChoice, typer.Option("--brain", help="Who is asked.")] = BrainChoice.LADDER,
    file: Annotated[str, typer.Option("--json", metavar="FILE", help="Write everything there, '-': print it.")] = "",
    own: Annotated[bool, typer.Option("--from-store", help="Ask about your own resolved incidents.")] = False,
    url: Annotated[
        str, typer.Option(metavar="URL", help="The model's server (AEGIS_LLM_BASE_URL, ..._OLLAMA_URL).")
    ] = "",
    model: Annotated[str, typer.Option(help="The model (AEGIS_LLM_MODEL, AEGIS_OLLAMA_MODEL).")] = "",
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="For one answer of the model.")] = 0,
    parallel: Annotated[int, typer.Option(min=0, max=64, help="How many at once; 0: 4 where it is remote.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many; such a run is not kept.")] = 0,
    case: Annotated[str, typer.Option(metavar="ID", help="Only this one; such a run is not kept.")] = "",
) -> None:
    """Measure how often the diagnosis is right, how often the action, and how often it acts where it should not."""
    settings = load(**_given(chosen, url, model, timeout))
    silence_logs()  # a rung that is away is counted, and need not be told of each time
    questions = _questions(settings, path, own)
    kept = not (limit or case)
    if case:
        questions = [one for one in questions if one.id == case]
    questions = questions[: limit or None]
    if not questions:
        raise CaseInvalid(f"there is no case {case}" if case else "there is no case to ask about")
    asked = brain(settings, None if chosen is BrainChoice.LADDER else Source(chosen))
    with _telling(f"asking {chosen} about {words.counted(len(questions), 'case')}", file == STANDARD_OUTPUT) as told:
        answers = ask(questions, asked, parallel or _at_once(settings, chosen), told)
    evaluation = Evaluation(
        at=datetime.now(UTC),
        brain=chosen,
        origin=OWN_INCIDENTS if own else str(path),
        version=__version__,
        prompt=PROMPT if any(one.diagnosis and _by_model(one) for one in answers) else "",
        score=score(answers),
        answers=answers,
    )
    _tell(evaluation, file, settings if kept else None)


def _given(chosen: BrainChoice, url: str, model: str, timeout: float) -> dict[str, Any]:
    """What the options say, as settings: of the rung that is asked alone, else of the cloud rung."""
    if chosen is BrainChoice.RULES and (url or model):
        raise ConfigError("the rules ask no model: --url and --model go with --brain cloud, ollama or ladder")
    names = ("ollama_url", "ollama_model", "ollama_timeout_seconds")
    if chosen is not BrainChoice.OLLAMA:
        names = ("llm_base_url", "llm_model", "llm_timeout_seconds")
    return {name: value for name, value in zip(names, (url, model, timeout), strict=True) if value}


def _questions(settings: Settings, path: Path | None, own: bool) -> Sequence[Question]:
    """What is asked. Raises ConfigError, CaseInvalid, StoreUnavailable."""
    if own == (path is not None):
        raise ConfigError("name a folder of cases, or --from-store for your own incidents (one of the two)")
    if path is not None:
        now = datetime.now(UTC)
        return [question_of(one, now) for one in read_cases(path)]
    found = [question_of_past(events) for events in closed_incidents(settings.database_url)]
    if not any(found):
        closed = words.counted(len(found), "closed incident")
        raise CaseInvalid(f"{closed} in the store, and none with a verified outcome to learn from")
    return [one for one in found if one]


@contextmanager
def _telling(what: str, silently: bool) -> Iterator[Callable[[Answered], None]]:
    """Say how far it is, unless nothing but the figures is to be printed."""
    if silently:
        yield lambda _: None
        return
    numbers = count(1)
    with busy(what) as doing:
        yield lambda answer: doing.tell(what, f"{next(numbers)} done, {words.short(answer.id, 40)}")


def _at_once(settings: Settings, chosen: BrainChoice) -> int:
    """Several at once only where that costs this host nothing: a model on it would only take longer for each."""
    url = settings.llm_base_url if chosen in {BrainChoice.CLOUD, BrainChoice.LADDER} else settings.ollama_url
    here = not url or urlsplit(url).hostname in _THIS_HOST
    return 1 if here or chosen is BrainChoice.RULES else REMOTE_AT_ONCE


def _by_model(one: Answered) -> bool:
    return one.diagnosis is not None and one.diagnosis.source in {Source.CLOUD, Source.OLLAMA}


def _tell(evaluation: Evaluation, file: str, keep_in: Settings | None) -> None:
    """Show an evaluation, write it where that was asked for, and keep it for the dashboard."""
    if file == STANDARD_OUTPUT:
        sys.stdout.write(evaluation.model_dump_json(indent=1) + "\n")
    else:
        out().print(score_page(evaluation))
    if keep_in:
        try:
            EvaluationFolder(keep_in.evaluations_path).add(evaluation)
        except OSError as error:
            complain(f"the evaluation is not kept for the dashboard: {error.filename} {error.strerror}")
    if file and file != STANDARD_OUTPUT:
        try:
            write(Path(file), evaluation)
        except OSError as error:
            raise ConfigError(f"--json: {file} cannot be written ({error.strerror})") from error
