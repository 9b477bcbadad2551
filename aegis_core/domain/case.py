"""Cases: recorded troubles of which somebody has said what they were, to measure a brain by."""

from datetime import datetime
from typing import Any, Final

from pydantic import Field, ValidationError, field_validator

from aegis_core.errors import CaseInvalid

from .action import Action
from .diagnosis import Category
from .evidence import Evidence
from .gathering import LOG_LINES, SILENT, with_log
from .logs import clean_line, clean_lines
from .masking import mask_lines
from .measured import measured
from .model import Stored
from .signal import Fault, Severity

STATE_MISSING: Final = "state: only what stands here was recorded"
NAME_CHARACTERS: Final = 100


class Case(Stored):
    """One recorded trouble: what was seen, and what it was. Keys that are not named here are passed over.

    `sensible_action` is the right one; what stands in `also_acceptable` does no harm either. `gathered` is all the
    evidence, where Aegis itself has recorded the case; else the log and the metrics are all there is.
    """

    id: str = Field(min_length=1, max_length=200)
    container: str
    log: str
    metrics: Any = None
    label: Category
    sensible_action: Action
    also_acceptable: tuple[Action, ...] = ()
    label_certainty: str = "unknown"
    gathered: Evidence | None = None

    @field_validator("gathered", mode="before")
    @classmethod
    def _of_our_own_making(cls, value: Any) -> Any:
        """Whatever else somebody calls so is passed over, like every other key."""
        return value if isinstance(value, dict) and {"fault", "severity", "at"} <= value.keys() else None

    @field_validator("label", "label_certainty", mode="before")
    @classmethod
    def _in_small_letters(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("sensible_action", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("also_acceptable", mode="before")
    @classmethod
    def _each_in_capitals(cls, value: Any) -> Any:
        return [cls._in_capitals(one) for one in value] if isinstance(value, list) else value or ()

    @field_validator("log", mode="before")
    @classmethod
    def _lines_together(cls, value: Any) -> Any:
        lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
        return "\n".join(value) if lines else value


def case_of(document: object, where: str) -> Case:
    """Read a case out of a parsed JSON document; `where` names its file.

    Raises CaseInvalid with the file, the key and what is wrong with it.
    """
    if not isinstance(document, dict):
        raise CaseInvalid(f"{where}: a case is a JSON object, and this is none")
    try:
        return Case.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        missing = first["type"] == "missing"
        raise CaseInvalid(f"{where}: '{key}' {'is missing' if missing else first['msg'][:400]}") from error


def evidence_of(case: Case, at: datetime) -> Evidence:
    """Build the evidence of a case as an investigation would: the newest lines, cleaned, masked and templated.

    Nothing is made up: there is no state, and the fault is `custom`, as of an alert that says nothing by itself. What
    Aegis has gathered itself is taken as it was stored.
    """
    if case.gathered is not None:
        return case.gathered
    figures = measured(case.metrics)
    lines = mask_lines(clean_lines(case.log, LOG_LINES))
    bare = Evidence(
        fault=Fault.CUSTOM,
        severity=Severity.WARNING,
        at=at,
        name=clean_line(case.container)[:NAME_CHARACTERS],
        metrics=figures.values,
        course=mask_lines(figures.course),
        missing=(STATE_MISSING,),
    )
    return with_log(bare, lines, missing="" if lines else SILENT)
