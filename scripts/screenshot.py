"""Makes the README's picture anew: the Live page while a real agent heals a real leak of the real app.

    .venv/bin/python -m scripts.screenshot [docs/dashboard.png]

It takes about two minutes, and needs Chromium (scripts/browser.sh provides it). The app is a child process of the
agent, as in `make demo` without Docker; the ports are free ones, the data lies in a folder that is removed afterwards.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from tests.acceptance.scene import Scene
from tests.acceptance.served_agent import ROOT, until
from tests.dashboard_browser import Dashboard, chromium, free_port, served, window_of

PICTURE: Final = ROOT / "docs" / "dashboard.png"
SIZE: Final = {"width": 1440, "height": 1500}
LOWEST: Final = "Math.max(...[...document.querySelectorAll('.ag-card')].map(e => e.getBoundingClientRect().bottom))"
MARGIN: Final = 8  # below the last card
NEIGHBOURS: Final = ("orders-eu", "orders-us")  # the same app once more, and a third time with a slow leak
SLOW_LEAK: Final = "?rate=0.9"  # MiB a second
AGENT: Final = {
    "AEGIS_STABILITY_SECONDS": "20",  # long enough to be looked at while it verifies
    "AEGIS_SENSE_SECONDS": "1",
}
CALM_SECONDS: Final = 45.0  # of an ordinary day before the leak, for the curve
LEAK: Final = "?rate=4"  # MiB a second
FALLEN: Final = 50.0  # % of the limit: below it the memory is back


class Neighbourhood(Scene):
    """The app with others of its kind beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("process", folder, AGENT)
        self.name = "buggy-app-v2"
        self.neighbours = {name: free_port() for name in NEIGHBOURS}

    def _targets_file(self) -> Path:
        path = super()._targets_file()
        described = path.read_text()
        for name, port in self.neighbours.items():
            with path.open("a") as targets:
                targets.write(described.replace(self.name, name).replace(str(self.app), str(port)))
        return path


@contextmanager
def healing() -> Iterator[Scene]:
    """An agent with the app, which has begun to leak after a while."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Neighbourhood(Path(folder))
        try:
            scene.open()
            slow = scene.neighbours[NEIGHBOURS[-1]]
            until(lambda: scene.ask("/health", slow)["status"] == "healthy", "the neighbours to be healthy")
            scene.ask(f"/trigger_memory{SLOW_LEAK}", slow)
            time.sleep(CALM_SECONDS)
            scene.trigger("memory", LEAK)
            yield scene
        finally:
            scene.close()


@contextmanager
def live_page(scene: Scene) -> Iterator[Page]:
    core, app = (f"http://127.0.0.1:{port}" for port in (scene.core, scene.app))
    with served(core, app) as url, chromium() as browser:
        tab = window_of(browser, viewport=SIZE, color_scheme="light").new_page()
        yield Dashboard(url, tab).open()


def is_back(scene: Scene) -> bool:
    """Whether the memory has fallen after the restart, for some samples, so that the curve shows it."""
    percents = [sample["memory_percent"] or 0.0 for sample in (scene.target() or {}).get("series", ())]
    return max(percents, default=0.0) > FALLEN > max(percents[-4:], default=100.0)


def main() -> None:
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with healing() as scene, live_page(scene) as page:
        until(lambda: scene.incidents(status="VERIFYING"), "the verification", 180)
        until(lambda: is_back(scene), "the memory to be back")
        expect(page.locator(".ag-step-current")).to_contain_text("Verifying")
        expect(page.get_by_text("RESTART is done")).to_be_visible()
        page.mouse.move(0, 0)
        height = page.evaluate(LOWEST) + MARGIN
        page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": SIZE["width"], "height": height})


if __name__ == "__main__":
    main()
