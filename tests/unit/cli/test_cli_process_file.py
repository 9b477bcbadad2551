"""The demo's target as the embedded runtime reads it."""

from pathlib import Path

from aegis_core.adapters.process.config import read_config
from aegis_core.cli.process_file import TARGET, write_process_file
from aegis_core.cli.stacks import TEMPLATE
from aegis_core.settings import load


def test_the_file_of_the_project_and_the_written_one_differ_by_ports_and_token_only(tmp_path: Path) -> None:
    written = tmp_path / "processes.toml"
    write_process_file(TEMPLATE, written, load(port=9001, target_app_port=9000, token='a "b" \\c', data_dir=tmp_path))
    ours, theirs = (read_config(path, tmp_path)[TARGET] for path in (written, TEMPLATE))
    assert ours.env["APP_PORT"] == "9000"
    assert ours.env["AEGIS_URL"] == "http://127.0.0.1:9001"
    assert ours.env["WEBHOOK_TOKEN"] == 'a "b" \\c'
    assert ours.health_url == "http://127.0.0.1:9000/health"
    same = {"env", "health_url", "cwd"}
    assert ours.model_dump(exclude=same) == theirs.model_dump(exclude=same)
    assert ours.cwd.resolve() == theirs.cwd.resolve()


def test_the_app_measures_itself_against_the_limit_that_the_runtime_enforces(tmp_path: Path) -> None:
    target = read_config(TEMPLATE, tmp_path)[TARGET]
    assert float(target.env["MEMORY_LIMIT_MB"]) == target.memory_limit_mb == 192
    assert float(target.env["CPU_LIMIT"]) == target.cpus
    assert target.labels["aegis.enable"] == "true"


def test_a_file_that_holds_a_token_is_for_its_owner_only(tmp_path: Path) -> None:
    written = tmp_path / "processes.toml"
    write_process_file(TEMPLATE, written, load(token="t", data_dir=tmp_path))
    assert written.stat().st_mode & 0o777 == 0o600
