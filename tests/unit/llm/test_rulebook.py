"""The rulebook is complete and alike: one file a category, each clue with a reason that holds in general."""

import tomllib
from importlib.resources import files
from itertools import chain

import pytest

from aegis_core.adapters.llm.confidence import read_confidence
from aegis_core.adapters.llm.rule import FOLDER, Rule, read_rules
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category

RULES = read_rules()
PAGES = files("aegis_core.adapters.llm").joinpath(FOLDER)
ACTING = 0.7


def named(rule: Rule) -> str:
    return str(rule.category)


def test_every_category_has_a_file_and_every_file_a_category() -> None:
    assert [rule.category for rule in RULES] == list(Category)
    assert {page.name for page in PAGES.iterdir()} == {f"{category}.toml" for category in Category}


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_file_tells_what_the_category_means_in_the_same_order_as_all_others(rule: Rule) -> None:
    page = tomllib.loads(PAGES.joinpath(f"{rule.category}.toml").read_text(encoding="utf-8"))
    told = ["category", "means", "shown_by", "root_cause", "follows", "for", "against", "usual", "exceptions"]
    assert list(page) == [key for key in told if key in page]
    assert page["category"] == rule.category
    assert all(page[key].endswith(".") for key in ("means", "shown_by"))


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_each_clue_and_each_step_gives_its_reason_in_a_sentence_of_its_own(rule: Rule) -> None:
    clues = [clue.why for clue in chain(rule.for_, rule.against)]
    steps = [step.why for step in (rule.usual, *rule.exceptions)]
    assert len(clues) == len(set(clues))
    assert all(why[0].isupper() and why.endswith(".") for why in clues + steps)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_each_clue_names_something_that_has_to_be_seen(rule: Rule) -> None:
    for clue in chain(rule.for_, rule.against, rule.exceptions):
        named = clue.model_dump(exclude={"weight", "why", "do", "at_most"}, exclude_defaults=True)
        assert named, clue


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_no_phrase_holds_what_only_one_place_could_write(rule: Rule) -> None:
    """Hosts, addresses, dates and long numbers belong to one incident and not to a kind of it."""
    phrases = [one.text for clue in chain(rule.for_, rule.against, rule.exceptions) for one in clue.log]
    for text in phrases:
        digits = "".join(character if character.isdigit() else " " for character in text).split()
        assert all(len(number) <= 5 for number in digits), text
        assert "://" not in text, text


def test_a_category_never_follows_from_itself_and_the_unknown_is_no_cause() -> None:
    assert not [rule.category for rule in RULES if rule.category in rule.follows]
    assert not [rule.category for rule in RULES if Category.UNKNOWN in rule.follows]


@pytest.mark.parametrize(
    "category",
    [
        Category.DISK_FULL,
        Category.FD_EXHAUSTION,
        Category.RESOURCE_QUOTA,
        Category.PORT_CONFLICT,
        Category.DB_SCHEMA_MISSING,
        Category.NETWORK_FAULT,
        Category.SLOW_DEPENDENCY,
        Category.HEALTHCHECK_MISCONFIG,
        Category.HOST_RUNTIME_DOWN,
        Category.HEALTHY,
    ],
)
def test_what_no_action_mends_has_none(category: Category) -> None:
    rule = RULES[list(Category).index(category)]
    assert {step.do for step in (rule.usual, *rule.exceptions)} == {Action.NOOP}


def test_the_confidence_was_fitted_and_says_on_what() -> None:
    confidence = read_confidence()
    assert "real cases" in confidence.origin
    assert confidence.of([]) == 0.0
    assert confidence.of([0.3]) < ACTING < confidence.of([0.9])


def test_more_lead_makes_no_less_sure_and_a_rival_no_more() -> None:
    confidence = read_confidence()
    rising = [confidence.of([weight / 50]) for weight in range(51)]
    assert rising == sorted(rising)
    assert confidence.of([0.9, 0.8]) < confidence.of([0.9, 0.1]) <= confidence.of([0.9])


def test_a_broken_page_is_refused_with_the_place() -> None:
    page = tomllib.loads(PAGES.joinpath("oom.toml").read_text(encoding="utf-8"))
    page["for"][0]["weight"] = 2
    with pytest.raises(ValueError, match=r"for\.0\.weight"):
        Rule.model_validate(page)
