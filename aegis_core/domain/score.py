"""How good a brain is: all figures over the trials of one evaluation. What each means stands at its field."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .action import Action
from .diagnosis import Category
from .figures import Calibration, Rate, Spread, calibration, macro_f1, rate, spread
from .model import Stored
from .trial import Answered, Marks

NO_ANSWER: Final = "(no answer)"


class Confusion(Stored):
    """How often one category was said where another (or the same) was right."""

    right: Category
    said: str
    count: int


class Part(Stored):
    """The rates over a part of the trials."""

    cases: int
    root_cause: Rate
    action: Rate
    action_acceptable: Rate
    wrong_act: Rate
    abstained: Rate


class Score(Part):
    """Every figure of an evaluation. The rates of `Part` are shares of all cases of which the right answer is known:

    - `root_cause`: the category said is the right one, however sure. No answer is wrong.
    - `action`: the action said is the sensible one (strict), however sure. No answer is wrong.
    - `action_acceptable`: the action said is the sensible one, or one of those that are acceptable too.
    - `wrong_act`: acted (any action but NOOP with a confidence of 0.7 or more) where that action is not acceptable.
    - `abstained`: no answer, a confidence below 0.7, or the category `unknown`: a person is asked.

    All but `Part`:

    - `root_cause_macro_f1`, `action_macro_f1`: see `figures.macro_f1`; saying `unknown` is saying nothing.
    - `root_cause_when_sure`: `root_cause` among those that did not abstain.
    - `acted`: how often it acted at all.
    - `action_recall`: of the cases with this sensible action, how many got it.
    - `calibration`: confidence against a right root cause; `calibration_of_action`: against an acceptable action
      (both over what was answered).
    - `seconds`: wall time of a case; `prompt_tokens`, `answer_tokens`: of a case, where the model's server counts.
    - `answered_by`: how many answers each rung (and its model) gave.
    - `confusion`: right against said category. `by_certainty`: the rates by how certain the label is.
    - `worst`: ids of the cases that went wrong, wrong acts first, each group the surest first.
    """

    root_cause_macro_f1: float | None
    root_cause_when_sure: Rate
    action_macro_f1: float | None
    action_recall: Mapping[Action, Rate]
    acted: Rate
    calibration: Calibration
    calibration_of_action: Calibration
    seconds: Spread | None
    prompt_tokens: Spread | None
    answer_tokens: Spread | None
    answered_by: Mapping[str, int]
    confusion: tuple[Confusion, ...]
    by_certainty: Mapping[str, Part]
    worst: tuple[str, ...]


def score(answers: Sequence[Answered]) -> Score:
    """Work out every figure."""
    counted = [one.diagnosis.tokens for one in answers if one.diagnosis and one.diagnosis.tokens]
    certainties = sorted({one.expected.certainty for one in answers})
    return Score(
        **_part(answers).model_dump(),
        root_cause_macro_f1=macro_f1(
            (one.expected.category, _category(one)) for one in answers if one.expected.category
        ),
        root_cause_when_sure=_share(answers, lambda marks: None if marks.abstained else marks.cause),
        action_macro_f1=macro_f1((one.expected.action, _action(one)) for one in answers if one.expected.action),
        action_recall={action: _recall(answers, action) for action in Action},
        acted=_share(answers, lambda marks: marks.acted),
        calibration=calibration(
            (one.diagnosis.confidence, one.marks.cause)
            for one in answers
            if one.diagnosis and one.marks.cause is not None
        ),
        calibration_of_action=calibration(
            (one.diagnosis.confidence, one.marks.acceptable) for one in answers if one.diagnosis
        ),
        seconds=spread(one.seconds for one in answers),
        prompt_tokens=spread(tokens.prompt for tokens in counted),
        answer_tokens=spread(tokens.completion for tokens in counted),
        answered_by=dict(Counter(told_by(one) for one in answers).most_common()),
        confusion=_confusion(answers),
        by_certainty={name: _part([one for one in answers if one.expected.certainty == name]) for name in certainties},
        worst=tuple(one.id for one in sorted(_wrong(answers), key=_badness, reverse=True)),
    )


def told_by(one: Answered) -> str:
    """Who answered: the rung and its model."""
    if one.diagnosis is None:
        return NO_ANSWER
    return " ".join(part for part in (one.diagnosis.source, one.diagnosis.model) if part)


def _part(answers: Sequence[Answered]) -> Part:
    return Part(
        cases=len(answers),
        root_cause=_share(answers, lambda marks: marks.cause),
        action=_share(answers, lambda marks: marks.strict),
        action_acceptable=_share(answers, lambda marks: marks.acceptable),
        wrong_act=_share(answers, lambda marks: marks.wrong_act),
        abstained=_share(answers, lambda marks: marks.abstained),
    )


def _share(answers: Sequence[Answered], holds: Callable[[Marks], bool | None]) -> Rate:
    return rate(found for one in answers if (found := holds(one.marks)) is not None)


def _recall(answers: Sequence[Answered], action: Action) -> Rate:
    return rate(_action(one) is action for one in answers if one.expected.action is action)


def _category(one: Answered) -> Category | None:
    """What was said; `unknown` only where that is right."""
    said = one.diagnosis.category if one.diagnosis else None
    return None if said is Category.UNKNOWN and one.expected.category is not Category.UNKNOWN else said


def _action(one: Answered) -> Action | None:
    return one.diagnosis.action if one.diagnosis else None


def _confusion(answers: Sequence[Answered]) -> tuple[Confusion, ...]:
    """Most frequent first within each right category, in the order of `Category`."""
    pairs = Counter(
        (one.expected.category, one.diagnosis.category if one.diagnosis else NO_ANSWER)
        for one in answers
        if one.expected.category
    )
    order = {category: number for number, category in enumerate(Category)}
    ordered = sorted(pairs.items(), key=lambda row: (order[row[0][0]], -row[1], row[0][1]))
    return tuple(Confusion(right=right, said=said, count=count) for (right, said), count in ordered)


def _wrong(answers: Sequence[Answered]) -> Sequence[Answered]:
    return [one for one in answers if one.marks.cause is False or not one.marks.acceptable]


def _badness(one: Answered) -> tuple[bool, float]:
    return one.marks.wrong_act, one.diagnosis.confidence if one.diagnosis else 0.0
