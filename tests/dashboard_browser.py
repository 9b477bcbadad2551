"""The dashboard as a process of its own, and a real Chromium that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
SECONDS = 40.0  # that anything may take

expect.set_options(timeout=SECONDS * 1000)


def wait_for(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, f"waited {SECONDS:g} s for {what}"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(*command: str, **settings: str) -> Iterator[None]:
    """A child process with these settings in its environment; it ends with the block."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, **settings}, **quiet) as child:
        try:
            yield
        finally:
            child.kill()


@contextmanager
def served(core_url: str, app_url: str, **settings: str) -> Iterator[str]:
    """The dashboard over this core and this target app; yields its address."""
    port = free_port()
    command = ("-m", "streamlit", "run", "aegis_dashboard/app.py", "--server.port", str(port))
    with running(*command, AEGIS_URL=core_url, AEGIS_TARGET_APP_URL=app_url, **settings):
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{url}/_stcore/health"), "the dashboard")
        yield url


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no Chromium here: scripts/browser.sh provides it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def window_of(browser: Browser, **options: Any) -> BrowserContext:
    """A window of 1440 × 900, if the options do not say otherwise; each tab in it is a session of its own."""
    window = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
    window.route("**/static/**", Scripts())
    return window


class Scripts:
    """Gives the browser Streamlit's own files, fetched once and past Chromium's network.

    Chromium breaks off whatever it is loading when the networks of the host change, and on a host where containers
    come and go they do; a script that is missing then leaves a page half drawn.
    """

    def __init__(self) -> None:
        self._kept: dict[str, requests.Response] = {}

    def __call__(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path not in self._kept:
            self._kept[path] = requests.get(route.request.url, timeout=SECONDS)
        kept = self._kept[path]
        route.fulfill(status=kept.status_code, content_type=kept.headers["Content-Type"], body=kept.content)


class Dashboard:
    """A tab of the browser, on the dashboard."""

    def __init__(self, url: str, tab: Page) -> None:
        self.url = url
        self.tab = tab

    def open(self, path: str = "") -> Page:
        """Load a page and wait until it is drawn."""
        wait_for(lambda: self._loaded(path), f"the page {path or 'live'}")
        return self.tab

    def _loaded(self, path: str) -> bool:
        try:
            self.tab.goto(f"{self.url}/{path}")
            for part in (".ag-strip", ".ag-section, .ag-empty"):
                self.tab.wait_for_selector(part, timeout=SECONDS * 1000 / 3)
        except BrowserError:  # broken off, see Scripts: also the connection over which the page is drawn
            return False
        return True
