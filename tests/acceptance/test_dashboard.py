"""The dashboard in a real Chromium, over a real agent that heals the real app: from the button to the lesson."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from aegis_dashboard import format as fmt
from tests.dashboard_browser import Dashboard, chromium, served, window_of

from .scene import Scene, until

WAY = ["Received", "Analyzing", "Decided", "Executing", "Verifying"]
RECORD_THE_WAY = """
() => {
    window.seen = [];
    const look = () => {
        const now = document.querySelector(".ag-step-current .ag-step-word");
        if (now && window.seen.at(-1) !== now.textContent) window.seen.push(now.textContent);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}
"""

pytestmark = pytest.mark.browser


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Scene]:
    """An agent that verifies for some seconds, so that a viewer sees it do so."""
    scene = Scene("process", tmp_path, {"AEGIS_STABILITY_SECONDS": "5"})
    try:
        yield scene.open()
    finally:
        scene.close()


@pytest.fixture
def dashboard(patient: Scene) -> Iterator[Dashboard]:
    core, app = (f"http://127.0.0.1:{port}" for port in (patient.core, patient.app))
    with served(core, app, AEGIS_REFRESH_SECONDS="1") as url, chromium() as browser:
        yield Dashboard(url, window_of(browser).new_page())


def goes_to(page: Page, name: str) -> None:
    page.locator("header").get_by_role("link", name=name).click()


def test_a_leak_is_caused_by_its_button_watched_being_healed_and_remembered(
    patient: Scene, dashboard: Dashboard
) -> None:
    """All of it in one tab that is loaded once: the record of the way would not survive a reload."""
    page = dashboard.open()
    expect(page.get_by_text("All quiet. No incident so far.")).to_be_visible()
    page.evaluate(RECORD_THE_WAY)

    goes_to(page, "Chaos")
    page.get_by_role("button", name="Cause memory fault").click()
    expect(page.get_by_text("Memory: the fault is on.")).to_be_visible()
    page.get_by_role("link", name="Watch it on Live").click()

    expect(page.get_by_text("Incident under way")).to_be_visible()
    expect(page.locator(".ag-incident")).to_contain_text(f"Memory pressure on {patient.name}")
    expect(page.locator(".ag-step-healed")).to_contain_text("Resolved")
    assert page.locator(".ag-step-done .ag-step-word").all_inner_texts() == WAY
    assert page.locator(".ag-step .ag-step-time time").count() == len(WAY) + 1
    seen = page.evaluate("window.seen")
    assert seen, "no stage was seen while it was under way"
    assert seen == [word for word in WAY if word in seen]
    assert seen[-1] == "Verifying"
    expect(page.get_by_text("RESTART is done")).to_be_visible()
    assert patient.restarts() == 1

    incident = patient.ended("memory_pressure")
    name = incident["incident_id"]
    [lesson] = until(patient.lessons, "the lesson")
    goes_to(page, "Runbook")
    learned = page.locator(".ag-lesson", has_text=name)
    expect(learned).to_contain_text(f"Memory pressure on {patient.name}")
    expect(learned).to_contain_text("verified healthy")
    expect(learned).to_contain_text(lesson["root_cause"])

    goes_to(page, "Incidents")
    row = page.locator(".ag-table tbody tr", has_text=patient.name)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Resolved")
    expect(row).to_contain_text("RESTART")

    goes_to(page, "Impact")
    expect(page.get_by_text("1 healed of 1 that were acted on")).to_be_visible()
    expect(page.locator(".ag-tiles")).to_contain_text(fmt.money(incident["cost_savings"]))
    expect(page.locator(".ag-ledger tbody tr")).to_contain_text(name)
    assert page.evaluate("window.seen.length") >= len(seen), "the page was loaded again"


@pytest.fixture
def cautious(tmp_path: Path) -> Iterator[Scene]:
    """An agent that asks before everything."""
    scene = Scene("process", tmp_path, {"AEGIS_AUTONOMY": "suggest"})
    try:
        yield scene.open()
    finally:
        scene.close()


def test_nothing_is_done_before_the_button_is_clicked_and_then_it_is_done_once(cautious: Scene) -> None:
    core, app = (f"http://127.0.0.1:{port}" for port in (cautious.core, cautious.app))
    with served(core, app, AEGIS_REFRESH_SECONDS="1") as url, chromium() as browser:
        page = Dashboard(url, window_of(browser).new_page()).open()
        cautious.trigger("unhealthy")
        question = page.locator(".st-key-question")
        expect(question).to_contain_text(f"RESTART of {cautious.name}")
        expect(page.locator(".ag-votes").first.locator("li")).to_have_count(4)
        assert cautious.restarts() == 0
        question.get_by_label("Your name").fill("ann")
        question.get_by_label("Why (optional)").fill("go on")
        question.get_by_role("button", name="Approve").click()
        expect(page.locator(".ag-step-healed")).to_contain_text("Resolved")
        assert cautious.restarts() == 1
        incident = cautious.ended("unhealthy")
        said = incident["approval"]
        assert (said["by"], said["via"], said["comment"]) == ("ann", "dashboard", "go on")
        page.get_by_role("link", name="Everything about this incident").click()
        page.get_by_role("button", name="Postmortem").click()
        told = page.locator(".st-key-postmortem")
        expect(told).to_contain_text("ann approved it at")
        for title in ("Timeline", "Evidence", "Opinions", "Decision", "Action", "Verification", "Lesson"):
            expect(told.get_by_role("heading", name=title, exact=True)).to_be_visible()
