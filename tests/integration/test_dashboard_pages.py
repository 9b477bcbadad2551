"""The dashboard in a real Chromium, against a stand-in for the core whose incident advances with the clock."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, expect

from tests.dashboard_browser import Dashboard, answers, chromium, free_port, running, served, wait_for, window_of

STUB = ("-m", "tests.integration.stub_core")

pytestmark = pytest.mark.browser


class Core:
    """The stand-in: can be started, stopped, and told what to show."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._running = ExitStack()

    def start(self) -> None:
        """Start it, where it does not run yet."""
        if not answers(f"{self.url}/ready"):
            self._running.enter_context(running(*STUB, "--port", str(self.port)))
            wait_for(lambda: answers(f"{self.url}/ready"), "the stand-in for the core")

    def stop(self) -> None:
        self._running.close()

    def heard(self) -> list[Any]:
        """What people have said about the incident that asks."""
        heard: list[Any] = requests.get(f"{self.url}/heard", timeout=5).json()["heard"]
        return heard

    def say(self, word: str, **said: Any) -> None:
        """Somebody else answers."""
        requests.post(f"{self.url}/incidents/inc-01010/{word}", json=said, timeout=5).raise_for_status()

    def leave(self, target: str, word: str, **said: Any) -> None:
        """Somebody else, or policy, says that a target be left alone."""
        requests.post(f"{self.url}/targets/{target}/{word}", json={"minutes": 30, **said}, timeout=5).raise_for_status()

    def show(self, scene: str, seconds_ago: float = 0.0) -> None:
        query = f"name={scene}&seconds_ago={seconds_ago}"
        requests.post(f"{self.url}/stub/scene?{query}", timeout=5).raise_for_status()


@pytest.fixture(scope="module")
def core() -> Iterator[Core]:
    core = Core()
    yield core
    core.stop()


@pytest.fixture(scope="module")
def dashboard_url(core: Core) -> Iterator[str]:
    with served(core.url, core.url) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser: Browser) -> BrowserContext:
    """One for all tests; every test has a tab of its own, and so a session."""
    return window_of(browser, timezone_id="Asia/Kathmandu")


@pytest.fixture
def dashboard(window: BrowserContext, dashboard_url: str) -> Iterator[Dashboard]:
    tab = window.new_page()
    yield Dashboard(dashboard_url, tab)
    tab.close()


@pytest.fixture
def core_up(core: Core) -> Core:
    core.start()
    core.show("quiet")
    return core


@pytest.fixture
def core_away(core: Core) -> Core:
    core.stop()
    return core


def test_an_incident_appears_and_goes_its_way_without_a_reload(core_up: Core, dashboard: Dashboard) -> None:
    """The page is not loaded again, and what is drawn stays in place, so that nothing flickers."""
    page = dashboard.open()
    expect(page.get_by_text("Newest incident")).to_be_visible()
    page.evaluate("window.loadedOnce = true")
    core_up.show("leak")
    expect(page.get_by_text("Incident under way")).to_be_visible()
    expect(page.get_by_text("Diagnosis by cloud: RESTART, 0.91 sure")).to_be_visible()
    expect(page.locator(".ag-step-current")).to_be_visible()  # else it is the steps of the incident before
    page.evaluate("document.querySelector('.ag-steps').drawnOnce = true")
    expect(page.locator(".ag-step-current")).to_contain_text("Verifying")
    expect(page.locator(".ag-step-done")).to_have_count(4)
    expect(page.get_by_text("buggy-app-v2").first).to_be_visible()
    assert page.locator(".ag-curve").count() >= 8
    assert page.evaluate("window.loadedOnce")
    assert page.evaluate("document.querySelector('.ag-steps').drawnOnce")


def test_the_end_of_an_incident_shows_its_verification_and_its_lesson(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("leak", seconds_ago=20)
    page = dashboard.open()
    expect(page.locator(".ag-step-healed")).to_contain_text("Resolved")
    expect(page.get_by_text("7 of 7 hold")).to_be_visible()
    expect(page.get_by_text("Lesson written into the runbook")).to_be_visible()


def test_one_of_several_open_incidents_is_followed_until_it_ends(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("two", seconds_ago=11)
    page = dashboard.open()
    expect(page.get_by_text("2 incidents are open; follow")).to_be_visible()
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="Crashed on payments-worker (inc-01002)").click()
    expect(page.locator(".ag-incident")).to_contain_text("Crashed on payments-worker")
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="Memory pressure on buggy-app-v2 (inc-01001)").click()
    expect(page.locator(".ag-incident")).to_contain_text("Memory pressure on buggy-app-v2")
    expect(page.get_by_text("2 incidents are open; follow")).to_have_count(0)
    expect(page.locator(".ag-incident")).to_contain_text("Crashed on payments-worker")


def test_a_leak_goes_on_as_a_line_into_its_limit_with_the_time(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("foreseen")
    page = dashboard.open()
    leaking = page.locator(".ag-card", has_text="session-cache")
    expect(leaking).to_contain_text("reaches the limit in about 1 min 40 s")
    expect(leaking).to_contain_text("82–131 s")
    for part in (".ag-ahead", ".ag-wedge", ".ag-meets"):
        expect(leaking.locator(part)).to_have_count(1)
    names = page.locator(".ag-card .ag-name").all_inner_texts()
    assert names[:3] == ["mail-queue", "session-cache", "search-index"]
    core_up.show("quiet")
    expect(page.locator(".ag-ahead")).to_have_count(0)


def test_an_incident_that_waits_for_its_cause_says_so(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("others", seconds_ago=9)
    page = dashboard.open()
    expect(page.locator(".ag-incident")).to_contain_text("waits for stock-db until")
    expect(page.locator(".ag-incident")).to_contain_text("reported by Alertmanager as “ManyErrors”")
    feed = page.get_by_label("Agent feed")
    expect(feed.get_by_text("Waits for stock-db, because of which it fails")).to_have_count(1)
    expect(feed).to_contain_text("The same symptom 41 times more: error logs, reported by Alertmanager")
    expect(page.get_by_text("The brain is asked after the wait.")).to_be_visible()


def test_what_is_worked_on_is_in_front_of_what_waits(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("both", seconds_ago=6)
    page = dashboard.open()
    expect(page.get_by_text("2 incidents are open; follow")).to_be_visible()
    expect(page.locator(".ag-incident")).to_contain_text("Memory pressure on buggy-app-v2")
    page.get_by_role("combobox").click()
    expect(page.get_by_role("option").last).to_have_text("Error logs on shop-web (inc-01003), waits")


def test_a_question_is_answered_with_a_button_and_the_core_hears_what_was_on_the_page(
    core_up: Core, dashboard: Dashboard
) -> None:
    core_up.show("asks")
    page = dashboard.open()
    expect(page.get_by_text("May Aegis do this? ROLLBACK of shop-mailer")).to_be_visible()
    question = page.locator(".st-key-question")
    for shown in ("5f0c9d31a7e2", "shop/mailer:2.0", "ROLLBACK needs approval."):
        expect(question).to_contain_text(shown)
    expect(page.locator(".ag-step-current")).to_contain_text("Needs approval")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Say who you are first")).to_be_visible()
    assert core_up.heard() == []
    page.locator(".st-key-question").get_by_label("Your name").fill("ann")
    page.get_by_label("Why (optional)").fill("go on")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("You have approved it.")).to_be_visible()
    expect(page.locator(".st-key-question")).to_have_count(0)
    expect(page.get_by_text("Approved by ann (the dashboard)")).to_be_visible()
    assert core_up.heard() == [["approve", {"by": "ann", "comment": "go on", "version": 9, "via": "dashboard"}]]


def test_what_is_being_typed_is_not_lost_while_the_page_is_brought_up_to_date(
    core_up: Core, dashboard: Dashboard
) -> None:
    core_up.show("asks")
    page = dashboard.open()
    field = page.get_by_label("Why (optional)")
    field.focus()
    left = page.locator(".ag-incident .ag-num").first
    for letters in ("not ", "before ", "Monday"):
        before = left.inner_text()
        page.keyboard.type(letters)
        expect(left).not_to_have_text(before)  # it was drawn anew
    expect(field).to_be_focused()
    page.locator(".st-key-question").get_by_label("Your name").fill("ann")
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("ann has declined ROLLBACK; nothing was done.")).to_be_visible()
    [[word, said]] = core_up.heard()
    assert (word, said["comment"]) == ("reject", "not before Monday")


def test_whoever_is_too_late_is_told_whose_answer_counts(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("asks")
    page = dashboard.open()
    page.locator(".st-key-question").get_by_label("Your name").fill("bob")
    core_up.say("approve", by="ann")
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("ann has answered it already.")).to_be_visible()


def test_the_votes_stand_with_who_what_how_sure_and_why(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("asks")
    for path in ("", "incidents?incident=inc-01010"):
        votes = dashboard.open(path).locator(".ag-votes").first
        expect(votes.locator("li")).to_have_count(4)
        expect(votes).to_contain_text("prediction")
        expect(votes).to_contain_text("A restart has not held twice today; going back to an image has.")
        expect(votes.locator("li").first).to_contain_text("RESTART")
        expect(votes.locator("li").first).to_contain_text("0.62")


def test_a_question_of_another_incident_is_told_beside_the_one_under_way(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("asks_aside", seconds_ago=4)
    page = dashboard.open()
    expect(page.locator(".ag-incident")).to_contain_text("Memory pressure on buggy-app-v2")
    expect(page.get_by_text("Needs approval: Crash loop on shop-mailer")).to_be_visible()
    expect(page.locator(".st-key-question")).to_have_count(0)
    page.get_by_role("link", name="inc-01010").click()
    expect(page.get_by_text("May Aegis do this?")).to_be_visible()


def test_maintenance_is_switched_on_for_all_and_off_again(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open()
    page.get_by_text("Leave a target alone").click()
    page.get_by_role("button", name="Maintenance", exact=True).click()
    expect(page.get_by_text("Say who you are first")).to_be_visible()
    page.get_by_label("Your name").fill("ann")
    page.get_by_label("Why", exact=True).fill("new disks")
    page.get_by_role("button", name="Quarantine", exact=True).click()
    expect(page.get_by_text("Quarantine is for one target")).to_be_visible()
    page.get_by_role("button", name="Maintenance", exact=True).click()
    expect(page.get_by_text("Maintenance everywhere.")).to_be_visible()
    expect(page.get_by_text("says ann: new disks.")).to_be_visible()
    page.get_by_role("button", name="End maintenance").click()
    expect(page.get_by_text("Maintenance everywhere.")).to_have_count(0)
    said = {"by": "ann", "minutes": 60, "reason": "new disks"}
    assert core_up.heard() == [["* maintenance", said], ["* maintenance/end", {"by": "ann"}]]


def test_a_target_in_quarantine_is_named_with_who_said_so_and_released_by_its_button(
    core_up: Core, dashboard: Dashboard
) -> None:
    core_up.leave("payments-worker", "quarantine", by="", reason="3 attempts in vain")
    page = dashboard.open()
    row = page.locator(".st-key-standing-payments-worker")
    expect(row).to_contain_text("by policy: 3 attempts in vain")
    row.get_by_role("button", name="Release").click()
    expect(page.get_by_text("Say who you are first")).to_be_visible()
    page.locator(".st-key-in-force").get_by_label("Your name").fill("ann")
    row.get_by_role("button", name="Release").click()
    expect(row).to_have_count(0)
    assert core_up.heard()[-1] == ["payments-worker release", {"by": "ann"}]


def test_a_comment_is_said_to_all_who_follow_the_incident(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("asks")
    page = dashboard.open("incidents?incident=inc-01010")
    room = page.locator(".st-key-room")
    room.get_by_label("Your name").fill("ann")
    room.get_by_label("Comment").fill("<b>I am on it.</b>")
    room.get_by_role("button", name="Say it").click()
    expect(room.get_by_text("Noted.")).to_be_visible()
    expect(room.get_by_label("Comment")).to_have_value("")
    expect(page.locator(".ag-votes").last).to_contain_text("<b>I am on it.</b>")
    assert core_up.heard() == [["comments", {"by": "ann", "comment": "<b>I am on it.</b>"}]]
    expect(page.locator(".st-key-question").get_by_label("Your name")).to_have_value("ann")


def test_the_postmortem_is_read_and_taken_along(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("asks")
    page = dashboard.open("incidents?incident=inc-01010")
    page.get_by_role("button", name="Postmortem").click()
    told = page.locator(".st-key-postmortem")
    expect(told.get_by_role("heading", name="Postmortem: crash loop on shop-mailer")).to_be_visible()
    expect(told).to_contain_text("crash_loop <b>reported</b>")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "postmortem-inc-01010.md"
    assert Path(download.value.path()).read_text().startswith("# Postmortem: crash loop on shop-mailer")


def test_an_alert_that_names_no_container_is_told_in_words(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("others")
    page = dashboard.open("incidents")
    expect(page.locator(".ag-table tbody tr", has_text="an unknown container")).to_contain_text("Failed")
    dashboard.open("incidents?incident=inc-01002")
    expect(page.locator(".ag-incident")).to_contain_text("Disk pressure on an unknown container")
    expect(page.locator(".ag-incident")).to_contain_text("reported by Grafana as “Disk almost full”")
    expect(page.get_by_text("This alert names no container.")).to_be_visible()
    expect(page.get_by_text("Its sender says that it is over")).to_be_visible()


def test_times_are_the_viewers_and_name_the_offset(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open()
    expect(page.locator(".ag-strip-clock")).to_contain_text("UTC+5:45")
    assert page.locator("time").first.get_attribute("title", timeout=5_000).endswith(" UTC")  # type: ignore[union-attr]


def test_a_row_of_the_table_opens_the_incident_and_its_address_can_be_shared(
    core_up: Core, dashboard: Dashboard
) -> None:
    page = dashboard.open("incidents")
    page.locator(".ag-table tbody tr", has_text="Crashed").first.click()
    expect(page.get_by_text("Timeline", exact=True)).to_be_visible()
    expect(page.get_by_text("Rests until")).to_be_visible()
    address = page.url
    assert "?incident=inc-" in address
    dashboard.open(address.removeprefix(f"{dashboard.url}/"))
    expect(page.get_by_text("Crashed on payments-worker")).to_be_visible()
    page.get_by_text("Raw JSON").click()
    expect(page.locator("[data-testid=stJson]")).to_contain_text("incident_id")
    page.get_by_text("All incidents").click()
    expect(page.locator(".ag-table tbody tr")).to_have_count(20)


def test_the_filters_and_pages_of_the_table_ask_the_core(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("incidents")
    expect(page.get_by_text("1–20 of 28")).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.locator(".ag-table tbody tr")).to_have_count(8)
    page.get_by_role("radio", name="Failed").click()
    expect(page.get_by_text("8 incidents", exact=True)).to_be_visible()
    expect(page.locator(".ag-table tbody tr .ag-bad")).to_have_count(8)
    page.get_by_label("Search").fill("no such thing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No incident fits these filters.")).to_be_visible()


def test_an_incident_that_does_not_exist_is_said_plainly(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("incidents?incident=inc-9")
    expect(page.get_by_text("There is no such incident.")).to_be_visible()


def test_the_runbook_is_searched_and_taken_along(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("runbook")
    expect(page.locator(".ag-lesson")).to_have_count(16)
    page.get_by_label("Search the runbook").fill("deadlock")
    page.keyboard.press("Enter")
    expect(page.locator(".ag-lesson")).to_have_count(4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as JSON").click()
    assert download.value.suggested_filename == "runbook.json"
    assert '"entries"' in Path(download.value.path()).read_text()


def test_the_runbook_shows_which_action_is_trusted_and_who_was_how_sure(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("runbook")
    tables = page.locator(".ag-scores")
    expect(tables.nth(0).locator("tbody tr")).to_have_count(3)
    expect(tables.nth(0).locator("tbody tr").filter(has_text="by reflex")).to_contain_text("buggy-app:2.1.0")
    expect(page.get_by_text("3 verified successes of the same trouble")).to_be_visible()
    expect(tables.nth(1).locator("tbody tr")).to_have_count(2)


def test_impact_shows_figures_formula_and_charts(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("impact")
    expect(page.get_by_text("16 healed of 16 that were acted on")).to_be_visible()
    expect(page.get_by_text("× ($10,000/min, tier critical × 2 (business hours))").first).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(4)


def test_the_brain_page_shows_how_good_it_was_and_what_went_wrong(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("brain")
    expect(page.locator(".ag-tiles .ag-panel")).to_have_count(4)
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(2)
    expect(page.locator(".ag-scores tbody tr")).to_have_count(4)
    expect(page.locator(".ag-scores")).to_contain_text("own incidents")
    expect(page.get_by_text("cloud small 48×")).to_be_visible()
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="rules on 48 cases in cases").click()
    expect(page.get_by_text("rules rules-2 48×")).to_be_visible()
    expect(page.locator(".ag-lesson").first).to_contain_text("The connection pool was taken for the cause.")


def test_a_fault_is_caused_by_its_button_and_watched_on_live(core_up: Core, dashboard: Dashboard) -> None:
    page = dashboard.open("chaos")
    expect(page.get_by_text("no fault on")).to_be_visible()
    page.get_by_role("button", name="Cause memory fault").click()
    expect(page.get_by_text("Memory: the fault is on.")).to_be_visible()
    expect(page.get_by_text("faults on: memory")).to_be_visible()
    page.get_by_role("link", name="Watch it on Live").click()
    expect(page.get_by_text("Incident under way")).to_be_visible()
    dashboard.open("chaos")
    page.get_by_role("button", name="Reset: end 1 fault").click()
    expect(page.get_by_text("All faults are off.")).to_be_visible()


def test_what_a_log_or_a_name_brings_along_is_shown_as_text(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("hostile", seconds_ago=8)
    for path in ("", "incidents", "incidents?incident=inc-01001", "brain"):
        page = dashboard.open(path)
        expect(page.get_by_text("<script>document.title='owned'</script>").first).to_be_visible()
        if path not in {"incidents", "brain"}:
            expect(page.locator(".ag-lines")).to_contain_text(["**bold** $x^2$ [a](javascript:alert(1)) :fire:"])
        assert page.locator(".stMain img, .stMain script, .stMain a[href^=javascript]").count() == 0
        assert "owned" not in page.title()


def test_places_without_anything_in_them_say_what_to_do(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("empty")
    for path, text in {
        "": "All quiet. No incident so far.",
        "incidents": "No incident so far.",
        "runbook": "Nothing learned yet.",
        "impact": "Nothing to count yet.",
        "brain": "Nothing measured yet.",
    }.items():
        expect(dashboard.open(path).get_by_text(text)).to_be_visible()


def test_while_the_core_is_away_every_page_says_so_and_marks_its_samples(core_away: Core, dashboard: Dashboard) -> None:
    for path in ("", "incidents", "runbook", "impact", "brain"):
        page = dashboard.open(path)
        expect(page.get_by_role("alert")).to_contain_text(f"The core does not answer. Tried {core_away.url}")
        expect(page.locator(".ag-section .ag-chip", has_text="SAMPLES").first).to_be_visible()
    page = dashboard.open("chaos")
    expect(page.get_by_role("alert")).to_contain_text("The target app does not answer.")


def test_samples_go_without_a_reload_as_soon_as_the_core_is_back(core_away: Core, dashboard: Dashboard) -> None:
    page = dashboard.open()
    expect(page.get_by_text("sample-memory-7f21")).to_be_visible()
    core_away.start()
    expect(page.get_by_text("inc-01")).to_be_visible()
    expect(page.get_by_text("SAMPLES")).to_have_count(0)
    expect(page.locator(".stMain")).not_to_contain_text("sample-")


def test_the_first_address_that_anybody_opens_may_be_any_page(core_up: Core, window: BrowserContext) -> None:
    """Streamlit runs a folder called `pages` by itself until the app has told it otherwise."""
    with served(core_up.url, core_up.url) as url:
        page = Dashboard(url, window.new_page()).open("chaos")
        expect(page.get_by_role("button", name="Cause memory fault")).to_be_visible()
        page.close()


def test_a_narrow_screen_needs_no_sideways_scrolling(core_up: Core, dashboard: Dashboard) -> None:
    core_up.show("hostile", seconds_ago=8)
    dashboard.tab.set_viewport_size({"width": 400, "height": 800})
    too_wide = "e => e.scrollWidth - e.clientWidth"
    for path in ("", "incidents", "incidents?incident=inc-01001", "runbook", "impact", "brain", "chaos"):
        page = dashboard.open(path)
        assert page.locator(".stMain").evaluate(too_wide) <= 0, path
    for scene in ("foreseen", "others", "asks"):
        core_up.show(scene, seconds_ago=20)
        page = dashboard.open()
        assert page.locator(".stMain").evaluate(too_wide) <= 0, scene
