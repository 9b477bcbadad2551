"""What a model sent back: read tolerantly, checked strictly."""

import json
import re
from collections.abc import Iterable, Mapping
from json import JSONDecoder
from typing import Any, Final

import json_repair
from pydantic import ValidationError

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Answer, Category, Diagnosis, Source
from aegis_core.domain.evidence import Evidence, cited
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask
from aegis_core.errors import AnswerInvalid

MOST_BYTES: Final = 64 * 2**10
MOST_DEPTH: Final = 32  # nested brackets; the parsers give up at about 1,000 with a RecursionError
MOST_OBJECTS: Final = 20  # objects that are looked for in an answer
MOST_CITATIONS: Final = 12
ROOT_CAUSE_CHARACTERS: Final = 600
JUSTIFICATION_CHARACTERS: Final = 1_200
_FIELDS: Final = ("evidence", "root_cause", "category", "justification", "action", "confidence")
_THOUGHT: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_PERCENT: Final = re.compile(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*")
_NUMBERS: Final = re.compile(r"\s*\[?\s*[Ee]?\d{1,3}(?:\s*[,;]\s*[Ee]?\d{1,3})*\s*\]?\s*")


def answer_schema() -> dict[str, Any]:
    """The JSON schema of an answer, with what every endpoint takes: no lengths, ranges or references.

    The evidence comes first and the action last, so that a model has reasoned before it chooses.
    """
    text = {"type": "string"}
    properties = {
        "evidence": {"type": "array", "items": text},
        "root_cause": text,
        "category": {"type": "string", "enum": [str(category) for category in Category]},
        "justification": text,
        "action": {"type": "string", "enum": [str(action) for action in Action]},
        "confidence": {"type": "number"},
    }
    return {"type": "object", "properties": properties, "required": list(_FIELDS), "additionalProperties": False}


def parse_answer(text: str) -> Answer:
    """Find the one answer in what a model wrote: fenced, inside prose, cut off, with trailing commas or extra keys.

    Raises AnswerInvalid with a sentence that the model can be told.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise AnswerInvalid(f"it is larger than {MOST_BYTES // 1024} KiB.")
    text = _THOUGHT.sub("", text).strip()
    if not text:
        raise AnswerInvalid("it is empty.")
    if _depth(text) > MOST_DEPTH:
        raise AnswerInvalid("it is nested too deeply.")
    found = [candidate for value in _values(text) for candidate in _candidates(value)]
    answers, problems = _answers(found)
    if not answers:  # the whole may be broken while a part of it can be read
        answers, problems_of_repair = _answers(list(_candidates(_repaired(text))))
        problems += problems_of_repair
    if not answers:
        raise AnswerInvalid(problems[-1] if problems else "there is no JSON object in it.")
    if any(answer != answers[0] for answer in answers):
        raise AnswerInvalid("it holds several different answers; send exactly one.")
    return answers[0]


def check(answer: Answer, evidence: Evidence, source: Source, model: str, seconds: float) -> Diagnosis:
    """Make a diagnosis of an answer whose every citation is in the evidence. Raises AnswerInvalid."""
    lines, unknown = cited(evidence, answer.evidence)
    if unknown:
        named = ", ".join(f"'{clean_line(citation)[:60]}'" for citation in unknown[:5])
        raise AnswerInvalid(f"it cites evidence that does not exist: {named}. Cite the numbers of lines, like E2.")
    return Diagnosis(
        root_cause=_tidy(answer.root_cause, ROOT_CAUSE_CHARACTERS),
        category=answer.category,
        action=answer.action,
        confidence=answer.confidence,
        justification=_tidy(answer.justification, JUSTIFICATION_CHARACTERS),
        evidence=lines,
        source=source,
        model=model,
        seconds=round(seconds, 3),
    )


def _tidy(text: str, most: int) -> str:
    return mask(" ".join(text.split()))[:most]


def _depth(text: str) -> int:
    """How deep brackets nest at most; brackets inside strings count too, which errs on the safe side."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[{}\]]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _values(text: str) -> list[Any]:
    """Every JSON object that stands in the text as it should."""
    decoder, values, start = JSONDecoder(object_pairs_hook=_without_doubles), [], text.find("{")
    for _ in range(MOST_OBJECTS):
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:  # also an integer of thousands of digits
            end = start + 1
        else:
            values.append(value)
        start = text.find("{", end)
    return values


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AnswerInvalid("a key stands in it twice.")
    return found


def _repaired(text: str) -> object:
    """What a repair makes of a text that is cut off, or has commas or quotes too many or too few."""
    if "{" not in text:
        return None
    try:
        return json_repair.loads(text[text.find("{") :])
    except (ValueError, RecursionError):
        return None


def _candidates(value: object) -> Iterable[dict[str, Any]]:
    """The objects that may be the answer: the value, its elements, or what it is wrapped in."""
    if isinstance(value, list):
        for element in value[:MOST_OBJECTS]:
            yield from _candidates(element)
    elif isinstance(value, dict):
        inner = [field for field in value.values() if isinstance(field, dict)]
        wrapped = "action" not in value and len(value) == 1 and len(inner) == 1
        yield inner[0] if wrapped else value


def _answers(found: list[dict[str, Any]]) -> tuple[list[Answer], list[str]]:
    answers: list[Answer] = []
    problems: list[str] = []
    for candidate in found:
        try:
            answers.append(Answer.model_validate(_prepared(candidate)))
        except ValidationError as error:
            problems.append(_problem(candidate, error))
    return answers, problems


def _prepared(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Bring into form what is meant beyond doubt. What is not known is dropped: no answer names a target."""
    fields = {name: candidate[name] for name in _FIELDS if name in candidate}
    for name, most in (("root_cause", ROOT_CAUSE_CHARACTERS), ("justification", JUSTIFICATION_CHARACTERS)):
        if isinstance(fields.get(name), str):
            fields[name] = " ".join(fields[name].split())[:most]
    for name, spell in (("action", str.upper), ("category", str.lower)):
        if isinstance(fields.get(name), str):
            fields[name] = spell(fields[name].strip())
    if "confidence" in fields:
        fields["confidence"] = _confidence(fields["confidence"])
    if "evidence" in fields:
        fields["evidence"] = _citations(fields["evidence"])
    return fields


def _confidence(value: object) -> object:
    """Read `"0.9"` and `"90%"`; a boolean is no number here, whatever Python thinks."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    percent = _PERCENT.fullmatch(value)
    return float(percent[1]) / 100 if percent else value.strip()


def _citations(value: object) -> object:
    """Read `"E1, E2"`, `3` and `["3"]` as the lists of line numbers that they are."""
    if isinstance(value, str) and _NUMBERS.fullmatch(value):
        value = re.findall(r"\d+", value)
    items = value if isinstance(value, list) else [value]
    return [_citation(item) for item in items[:MOST_CITATIONS]]


def _citation(item: object) -> object:
    if isinstance(item, int) and not isinstance(item, bool):
        return f"E{item}"
    return f"E{item.strip()}" if isinstance(item, str) and item.strip().isdecimal() else item


def _problem(candidate: Mapping[str, Any], error: ValidationError) -> str:
    if "properties" in candidate or "$defs" in candidate:
        return "it is the schema; fill it in instead."
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "answer"
    if first["type"] == "missing":
        return f"'{name}' is missing."
    value = json.dumps(candidate.get(name), ensure_ascii=True, default=str)[:60]
    return f"'{name}' cannot be {clean_line(value)}: {first['msg'][:200]}."
