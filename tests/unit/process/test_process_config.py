"""The process file: what it may say, and the sentences that answer what it may not."""

import sys
from pathlib import Path

import pytest

from aegis_core.adapters.process.config import TargetSpec, read_config
from aegis_core.errors import ConfigError


def read(folder: Path, text: str) -> dict[str, TargetSpec]:
    path = folder / "processes.toml"
    path.write_text(text, encoding="utf-8")
    return dict(read_config(path, folder / "data"))


def one(folder: Path, text: str) -> TargetSpec:
    return read(folder, f'[targets.web]\ncommand = ["server"]\n{text}')["web"]


def test_a_command_is_all_that_is_needed(tmp_path: Path) -> None:
    spec = one(tmp_path, "")
    assert spec.command == ("server",)
    assert spec.cwd == tmp_path
    assert (spec.limits.memory_bytes, spec.limits.cpus) == (None, None)
    assert spec.published_health_url is None
    assert spec.stop_timeout == 10.0


def test_a_memory_limit_is_given_in_mebibytes(tmp_path: Path) -> None:
    assert one(tmp_path, "memory_limit_mb = 0.5").limits.memory_bytes == 512 * 1024


def test_placeholders_are_filled_into_command_environment_and_folder(tmp_path: Path) -> None:
    text = (
        '[targets.web]\ncommand = ["{python}", "{config_dir}/a"]\ncwd = "{data_dir}"\nenv = { DATA = "{data_dir}/x" }'
    )
    spec = read(tmp_path, text)["web"]
    assert spec.command == (sys.executable, f"{tmp_path}/a")
    assert spec.cwd == tmp_path / "data" / "web"
    assert spec.env == {"DATA": f"{tmp_path}/data/web/x"}


def test_other_braces_stay_as_they_are(tmp_path: Path) -> None:
    spec = read(tmp_path, """[targets.web]\ncommand = ["echo", '{"a": "{b}"}']""")["web"]
    assert spec.command[1] == '{"a": "{b}"}'


def test_a_relative_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    assert one(tmp_path, 'cwd = "app"').cwd == tmp_path / "app"


def test_numbers_in_the_environment_become_text(tmp_path: Path) -> None:
    assert one(tmp_path, "env = { PORT = 8000 }").env == {"PORT": "8000"}


def test_the_health_url_of_the_label_is_published_but_a_check_of_its_own_wins(tmp_path: Path) -> None:
    label = 'labels = { "aegis.health_url" = "http://127.0.0.1/label" }'
    assert one(tmp_path, label).published_health_url == "http://127.0.0.1/label"
    assert one(tmp_path, f'{label}\nhealth_url = "http://127.0.0.1/own"').published_health_url == "http://127.0.0.1/own"


def test_whatever_is_changed_makes_another_definition(tmp_path: Path) -> None:
    first = one(tmp_path, "").definition
    changed = ["cpus = 1", "env = { A = 1 }", 'labels = { a = "b" }', "stop_timeout = 3", 'health_url = "http://a/"']
    assert len({first, *(one(tmp_path, text).definition for text in changed)}) == len(changed) + 1


def test_a_target_may_depend_on_others_of_the_file(tmp_path: Path) -> None:
    specs = read(tmp_path, '[targets.web]\ncommand = ["a"]\ndepends_on = ["db"]\n[targets.db]\ncommand = ["a"]')
    assert (specs["web"].depends_on, specs["db"].depends_on) == (("db",), ())


def test_what_is_said_explicitly_but_is_the_default_changes_nothing(tmp_path: Path) -> None:
    assert one(tmp_path, "").definition == one(tmp_path, 'stop_timeout = 10\nrestart = "no"').definition


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[targets.web]\nport = 1", r"targets\.web\.command: Field required"),
        ("[targets.web]\ncommand = []", r"targets\.web\.command"),
        ('[targets.web]\ncommand = ["a"]\nhealthurl = "x"', r"targets\.web\.healthurl"),
        ('[targets.web]\ncommand = ["a"]\ncpus = 0', r"targets\.web\.cpus"),
        ('[targets.web]\ncommand = ["a"]\nmemory_limit_mb = -1', r"targets\.web\.memory_limit_mb"),
        ('[targets.web]\ncommand = ["a"]\nrestart = "always"', r"targets\.web\.restart"),
        ('[targets.web]\ncommand = ["a"]\nhealth_url = "file:///etc/passwd"', "must begin with http"),
        ('[targets."../web"]\ncommand = ["a"]', "no name for a target"),
        ('[targets.web]\ncommand = ["a"]\ndepends_on = ["db"]', "'db' is no other target"),
        ('[targets.web]\ncommand = ["a"]\ndepends_on = ["web"]', "'web' is no other target"),
        ('[targets.web]\ncommand = ["a"]\ndepends_on = "db"', r"targets\.web\.depends_on"),
        ("[target.web]", "may hold"),
        ("targets = 3", "may hold"),
        ("[targets.web", "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_named_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        read_config(tmp_path / "nowhere.toml", tmp_path)
