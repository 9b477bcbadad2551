"""Writes docs/categories.md anew, out of the rulebook.

    .venv/bin/python -m scripts.categories

A test compares the two, so that the page says what the code does.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from aegis_core.adapters.llm.rule import Rule, read_rules

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "categories.md"
HEAD: Final = """# The root causes

Every diagnosis names exactly one of these categories, whoever makes it: the runbook, a model or the rules. The list is
closed. What stands here is made of the rulebook (`aegis_core/adapters/llm/rulebook/`, one file a category) by
`python -m scripts.categories`.

*Usual action*: what mends it as a rule. *Other actions*: what follows instead where the evidence says so. An action
below 0.7 confidence, and any that policy does not allow, goes to a person.

| category | what it means | what shows it | usual action | other actions |
|---|---|---|---|---|
"""


def page(rules: Sequence[Rule]) -> str:
    """The whole page, one row a category."""
    return HEAD + "".join(f"| {' | '.join(map(_cell, _row(rule)))} |\n" for rule in rules)


def _row(rule: Rule) -> Iterable[str]:
    others = list(dict.fromkeys(f"`{step.do}`: {step.why}" for step in rule.exceptions if step.do is not rule.usual.do))
    yield from (f"`{rule.category}`", rule.means, rule.shown_by, f"`{rule.usual.do}`: {rule.usual.why}")
    yield "<br>".join(others) or "–"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(read_rules()), encoding="utf-8")
