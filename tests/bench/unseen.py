"""Rules as they would be had nobody mended them by the cases that they are asked about.

The rules are data that was written with cases at hand. So for every case they lose the wordings that fit its log and
no other of the same folder: a harsh guess of how they do on a log that nobody has seen.
"""

from collections.abc import Mapping, Sequence

from aegis_core.adapters.llm.facts import Facts, facts_of
from aegis_core.adapters.llm.levels import Limits
from aegis_core.adapters.llm.phrase import Phrase
from aegis_core.adapters.llm.rule import Rule, read_rules
from aegis_core.adapters.llm.rules import RulesRung
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.trial import Question
from aegis_core.ports import Brain

LIMITS = Limits(85.0, 85.0)


class Apart:
    """A brain that has another one for each evidence, known by `id`."""

    def __init__(self, brains: Mapping[int, Brain]) -> None:
        self._brains = brains

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        return self._brains[id(evidence)].diagnose(evidence)


def unseen(questions: Sequence[Question]) -> Mapping[int, RulesRung]:
    """The rules for each question, by the `id` of its evidence."""
    rules, facts = read_rules(), [facts_of(one.evidence, LIMITS) for one in questions]
    wordings = {phrase for rule in rules for clue in rule.for_ for phrase in clue.log}
    fitting = {phrase: [place for place, one in enumerate(facts) if _fits(phrase, one)] for phrase in wordings}
    lost = [{phrase for phrase, places in fitting.items() if places == [place]} for place in range(len(facts))]
    return {
        id(one.evidence): RulesRung(rules=[_without(gone, rule) for rule in rules])
        for one, gone in zip(questions, lost, strict=True)
    }


def _fits(phrase: Phrase, facts: Facts) -> bool:
    lines = (*facts.log, *facts.since)
    return phrase.may_fit(facts.text, facts.words) and any(phrase.end_in(line.plain, line.words) for line in lines)


def _without(lost: set[Phrase], rule: Rule) -> Rule:
    clues = [(clue, tuple(phrase for phrase in clue.log if phrase not in lost)) for clue in rule.for_]
    kept = [clue.model_copy(update={"log": left}) for clue, left in clues if left or not clue.log]
    return rule.model_copy(update={"for_": tuple(kept)})
