"""The page about the categories says what the code does."""

from aegis_core.adapters.llm.rule import read_rules
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from scripts.categories import PAGE, page


def test_the_page_is_what_the_rulebook_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read_rules()), "write it anew: python -m scripts.categories"


def test_the_page_has_a_row_for_every_category_and_for_nothing_else() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert [row[0].removeprefix("| ").strip("`") for row in rows] == list(Category)
    for row in rows:
        assert len(row) == 5
        assert all(len(cell) > 10 for cell in row[1:4]), row
        assert row[3].split("`")[1] in list(Action)
