"""Arbitration: what a model's diagnosis is worth beside what the rules make of the same evidence.

Whether anything is done is for the rules to say. A model can make them surer, it can have a person asked, and where
they do not know the cause it names one. Which of two actions is right is settled by what is observed (`voices`) or by
people.
"""

from typing import Final

from .action import Action
from .diagnosis import Category, Diagnosis, Suspicion
from .model import Value
from .opinion import SURE

ASKED: Final = 0.65
"""As sure as an action may be that is disputed, or that the rules alone are not sure of: a person is asked."""
VAGUE: Final = frozenset({Category.APP_CRASH_BUG, Category.HEALTHY, Category.UNKNOWN})
"""What a model says that sees nothing in particular: it takes no cause away."""
CRASH: Final = Category.APP_CRASH_BUG
"""What most causes end in: rules that see no more than that give way to any cause of it."""
SURE_OF_CRASH: Final = 0.8
"""Unless they are as sure of it as this."""
RELIANCE: Final = 3.0
"""How many times likelier a cause counts that a model names; little, so that a small one can be relied on so far."""
TOLD_BY_ONE: Final = 0.5
"""As sure as a cause may be that only a model has named."""
PROPOSES: Final = 0.8
"""As sure as a model has to be to have an action of its own put before a person; one that is less sure only guesses."""
LIFT: Final = 0.5
"""How much of the doubt that the rules leave a model takes away which is sure of the same."""
DOUBT: Final = 0.05
"""How much less sure the rules are where the model names another cause."""
MOST_CITED: Final = 6
WORDS_CHARACTERS: Final = 300


class Witnessed(Value):
    """What the rules make of the evidence that the model has judged.

    `suspected` are the causes that come into question, the likeliest first: how sure each is, whatever follows from it.
    """

    diagnosis: Diagnosis
    suspected: tuple[Suspicion, ...] = ()


def arbitrate(said: Diagnosis, heard: Witnessed) -> Diagnosis:
    """Make one diagnosis of a model's (`said`) and the rules' (`heard`).

    The rules are believed where they are sure of the cause, or where the model names none. Else the model is, if it
    names one of two that they suspect alike, or if they suspect nothing in particular. Who saw it otherwise stands in
    `dissent`.
    """
    rules = heard.diagnosis
    if said.category is rules.category:
        return _agreed(said, rules)
    if rules.category is Category.UNKNOWN:
        return _told_by_model(said, rules)
    return _preferred(said, heard) if _gives_way(said, heard) else _kept(said, rules)


def _gives_way(said: Diagnosis, heard: Witnessed) -> bool:
    if said.category in VAGUE:
        return False
    certainty = max((one.confidence for one in heard.suspected), default=heard.diagnosis.confidence)
    if heard.diagnosis.category is CRASH:
        return certainty < SURE_OF_CRASH
    rival = max((one.confidence for one in heard.suspected if one.category is said.category), default=0.0)
    return certainty < min(SURE, RELIANCE * rival)


def _agreed(said: Diagnosis, rules: Diagnosis) -> Diagnosis:
    """Both see the same cause."""
    if said.action is rules.action:
        sure = rules.confidence + (1.0 - rules.confidence) * LIFT * said.confidence
        if _acts(rules) and rules.confidence < SURE:
            sure = min(sure, max(rules.confidence, ASKED))
        return _made(said, rules, sure, f"{said.justification} The rules see the same.")
    why = f"{rules.justification} Model and rules see the same cause, and differ in what follows from it."
    return _made(said, rules, _disputed(said, rules, rules.confidence), why, _action(said, rules), said)


def _kept(said: Diagnosis, rules: Diagnosis) -> Diagnosis:
    """The rules are surer of their cause than a model can be of another."""
    sure = _disputed(said, rules, max(0.0, rules.confidence - DOUBT))
    cause = said.model_copy(update={"root_cause": rules.root_cause, "category": rules.category})
    why = f"{rules.justification} The model sees another cause, and the rules are surer."
    return _made(cause, rules, sure, why, _action(said, rules), said)


def _action(said: Diagnosis, rules: Diagnosis) -> Action:
    """Whether anything is done is for the rules to say, and which of two actions for whoever is surer."""
    surer = said.confidence > max(rules.confidence, PROPOSES)
    return said.action if surer and _acts(said) and _acts(rules) else rules.action


def _disputed(said: Diagnosis, rules: Diagnosis, sure: float) -> float:
    """Have a person asked where they differ, and the rules would act or the model is surer."""
    differ = said.action is not rules.action and (_acts(rules) or said.confidence > rules.confidence)
    return min(sure, ASKED) if differ else sure


def _told_by_model(said: Diagnosis, rules: Diagnosis) -> Diagnosis:
    """The rules have nothing to say for it and nothing against it. Only a model that is sure proposes an action."""
    why = f"{said.justification} The rules do not know the cause, so a person should look."
    action = said.action if said.confidence >= PROPOSES else Action.NOOP
    if action is not said.action:
        why += f" (The model would {said.action}.)"
    return _made(said, rules, min(said.confidence, TOLD_BY_ONE), why, action)


def _preferred(said: Diagnosis, heard: Witnessed) -> Diagnosis:
    """The rules are unsure, and the model decides between causes. An action on which they differ is not proposed."""
    rules = heard.diagnosis
    follows = next((one.action for one in heard.suspected if one.category is said.category), said.action)
    why = f"{said.justification} The rules are not sure: they suspect {rules.category} as well."
    action = follows if follows is rules.action else Action.NOOP
    return _made(said, rules, min(said.confidence, TOLD_BY_ONE), why, action, rules)


def _acts(one: Diagnosis) -> bool:
    return one.action is not Action.NOOP


def _made(  # noqa: PLR0917 - who, how sure, why, what
    said: Diagnosis,
    rules: Diagnosis,
    sure: float,
    why: str,
    action: Action | None = None,
    dissent: Diagnosis | None = None,
) -> Diagnosis:
    return said.model_copy(
        update={
            "action": action or said.action,
            "confidence": round(sure, 2),
            "justification": why,
            "evidence": tuple(dict.fromkeys([*rules.evidence[:2], *said.evidence, *rules.evidence]))[:MOST_CITED],
            "dissent": (_words(dissent),) if dissent else (),
        }
    )


def _words(one: Diagnosis) -> str:
    """What one of them said, in a line for people."""
    who = " ".join(part for part in (one.source, one.model) if part)
    return f"{who}: {one.category}, {one.action} ({one.confidence:.2f}). {one.root_cause}"[:WORDS_CHARACTERS]
