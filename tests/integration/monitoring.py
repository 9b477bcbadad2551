"""A real Prometheus and a real Alertmanager on spare ports, with the configuration that we ship, made impatient."""

import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.served_agent import free_port, until

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "aegis_infra"
Metrics = Callable[[], str]


def programs() -> tuple[str, str, str, str]:
    """The paths of prometheus, promtool, alertmanager and amtool; where they cannot be had the test is skipped."""
    found = subprocess.run([ROOT / "scripts/monitoring.sh"], capture_output=True, text=True, check=False, timeout=170)
    if found.returncode:
        pytest.skip(found.stderr.strip()[:200])
    prometheus, promtool, alertmanager, amtool = found.stdout.split()
    return prometheus, promtool, alertmanager, amtool


@contextmanager
def exporting(metrics: Metrics) -> Iterator[int]:
    """Serve metrics over HTTP, as cAdvisor does; gives the port."""

    class Exporter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class Monitoring:
    """Both of them, running, with their data in a folder."""

    def __init__(self, folder: Path, addresses: Mapping[str, str], token: str) -> None:
        """Where our configuration says `cadvisor:8080`, `addresses` says where that is in this test."""
        self.prometheus, self.alertmanager = free_port(), free_port()
        self._folder = folder
        self._addresses = {**addresses, "alertmanager:9093": f"127.0.0.1:{self.alertmanager}"}
        self._token = token
        self._running = ExitStack()

    def start(self) -> None:
        prometheus, _, alertmanager, _ = programs()
        self._write_configuration()
        self._run(
            alertmanager,
            "--config.file=alertmanager.yml",
            f"--storage.path={self._folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{self.alertmanager}",
            "--cluster.listen-address=",
        )
        self._run(
            prometheus,
            "--config.file=prometheus.yml",
            f"--storage.tsdb.path={self._folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus}",
        )
        for port in (self.alertmanager, self.prometheus):
            until(lambda port=port: self._ask(port, "/-/ready"), "it to be ready", 30)

    def stop(self) -> None:
        self._running.close()

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Ask Prometheus; each result with its labels."""
        answer = json.loads(self._ask(self.prometheus, f"/api/v1/query?query={expression}"))
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def alerts(self) -> list[dict[str, Any]]:
        """What Alertmanager holds to be firing."""
        return list(json.loads(self._ask(self.alertmanager, "/api/v2/alerts?active=true")))

    def delivered(self) -> tuple[int, int]:
        """How many notifications Alertmanager has sent by webhook, and how many of them failed."""
        text = self._ask(self.alertmanager, "/metrics")
        counts = [
            re.search(rf'^alertmanager_{name}_total{{integration="webhook"}} (\d+)', text, re.MULTILINE)
            for name in ("notifications", "notifications_failed")
        ]
        sent, failed = (int(count[1]) if count else 0 for count in counts)
        return sent, failed

    def _run(self, program: str, *arguments: str) -> None:
        path = self._folder / f"{Path(program).name}.log"
        log = self._running.enter_context(path.open("ab"))
        process = subprocess.Popen([program, *arguments], cwd=self._folder, stdout=log, stderr=log)
        self._running.callback(_end, process)

    def _ask(self, port: int, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def _write_configuration(self) -> None:
        """The files that we ship, with the addresses of this test, and without their patience."""
        token = self._folder / "token"
        token.write_text(self._token)
        shipped = [
            INFRA / "prometheus/prometheus.yml",
            INFRA / "prometheus/rules.yml",
            INFRA / "alertmanager/alertmanager.yml",
        ]
        for path in shipped:
            text = path.read_text().replace("/run/aegis_token", str(token))
            for there, here in self._addresses.items():
                text = text.replace(there, here)
            text = re.sub(r"(?m)^(\s+(?:for|group_wait|group_interval|\w+_interval)): \d+[ms]", r"\1: 1s", text)
            (self._folder / path.name).write_text(text)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=30)
