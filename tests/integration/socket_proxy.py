"""A real nginx as the socket proxy, with the configuration that we ship, on a spare port."""

import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

import pytest

from tests.acceptance.served_agent import free_port, until

from .flaky_engine import REAL_ENGINE

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "aegis_infra" / "socket_proxy"


def rights(*names: str) -> list[re.Pattern[str]]:
    """The calls that these files of rights let through, each as a pattern of method, a blank, path and query."""
    texts = [(SHIPPED / "rights" / f"{name}.conf").read_text() for name in names]
    return [re.compile(found) for text in texts for found in re.findall(r'^"~(.+)" 1;$', text, re.MULTILINE)]


class SocketProxy:
    """Runs while the block does. `names` are the files of rights that it has."""

    def __init__(self, folder: Path, *names: str, upstream: str = REAL_ENGINE) -> None:
        self.port = free_port()
        self.url = f"tcp://127.0.0.1:{self.port}"
        self._folder = folder
        self._write(names, upstream.removeprefix("unix://"))

    def _write(self, names: tuple[str, ...], upstream: str) -> None:
        text = (SHIPPED / "nginx.conf").read_text()
        for shipped, ours in (
            ("unix:/var/run/docker.sock", f"unix:{upstream}"),
            ("listen 2375", f"listen 127.0.0.1:{self.port}"),
            ("/tmp/nginx", f"{self._folder}/nginx"),
        ):
            assert shipped in text, f"the configuration no longer says {shipped}"
            text = text.replace(shipped, ours)
        (self._folder / "rights").mkdir(parents=True)
        (self._folder / "nginx.conf").write_text(text)
        for name in names:
            shutil.copy(SHIPPED / "rights" / f"{name}.conf", self._folder / "rights")

    def __enter__(self) -> Self:
        found = subprocess.run([ROOT / "scripts/nginx.sh"], capture_output=True, text=True, check=False, timeout=170)
        if found.returncode:
            pytest.skip(found.stderr.strip()[:200])
        command = [found.stdout.strip(), "-c", self._folder / "nginx.conf", "-p", self._folder, "-g", "daemon off;"]
        self._log = (self._folder / "log").open("wb")
        self._nginx = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until(lambda: self.status("GET", "/_ping") == 200, "the socket proxy")
        return self

    def __exit__(self, *_: object) -> None:
        self._nginx.terminate()
        self._nginx.wait(timeout=30)
        self._log.close()

    def status(self, method: str, path: str, body: bytes | None = None) -> int:
        """Make a call as it stands; returns the status of the answer, 0 where there was none."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
