"""Settings: what cannot be used is named, secrets stay secret, and every one of them is described for users."""

import os
import re
from pathlib import Path

import pytest

from aegis_core.domain.leave import Autonomy
from aegis_core.domain.target import Watch
from aegis_core.errors import ConfigError
from aegis_core.settings import BARE, SECRETS, RuntimeChoice, Settings, load

EXAMPLE = Path(__file__).parents[2] / ".env.example"
VALUE = "a-value-that-nobody-may-see"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and an environment without settings."""
    for name in list(os.environ):
        if name.startswith("AEGIS_") or name in BARE:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def variable(field: str) -> str:
    return field.upper() if field.upper() in BARE else f"AEGIS_{field.upper()}"


# ---- where values come from


def test_without_any_setting_there_is_a_default_for_everything(nowhere: Path) -> None:
    settings = load()
    assert (settings.host, settings.port, settings.runtime) == ("127.0.0.1", 8001, RuntimeChoice.AUTO)
    assert (settings.watch, settings.autonomy, settings.confidence_threshold) == (Watch.LABELED, Autonomy.AUTO, 0.7)
    assert (settings.cooldown_seconds, settings.max_attempts, settings.attempt_window_seconds) == (60.0, 3, 600.0)
    assert settings.database_url == f"sqlite:///{nowhere}/data/aegis.db"
    assert all(getattr(settings, name) is None for name in SECRETS)


def test_the_environment_wins_over_the_file_and_an_argument_over_both(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / ".env").write_text("AEGIS_PORT=1001\nAEGIS_HOST=0.0.0.0\n")
    assert (load().port, load().host) == (1001, "0.0.0.0")
    monkeypatch.setenv("AEGIS_PORT", "1002")
    assert (load().port, load().host) == (1002, "0.0.0.0")
    assert load(port=1003).port == 1003


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.setenv(variable(field), "")
    assert load() == Settings(_env_file=None)


def test_a_variable_of_somebody_else_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEGIS_OF_A_LATER_VERSION", "1")
    monkeypatch.setenv("PORT", "7")
    assert load().port == 8001


@pytest.mark.parametrize("names", ["shop,db", " shop , db ,", "shop,,db"])
def test_a_list_is_separated_by_commas(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEGIS_OWN_NAMES", names)
    assert load().own_names == {"shop", "db"}


def test_what_bounds_aegis_reaches_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WATCH": "all", "AUTONOMY": "suggest", "MAX_ATTEMPTS": "5", "OWN_NAMES": "db"}.items():
        monkeypatch.setenv(f"AEGIS_{name}", value)
    policy = load(confidence_threshold=0.9, cooldown_seconds=1, attempt_window_seconds=2).policy(frozenset({"me"}))
    assert (policy.watch, policy.autonomy, policy.max_attempts) == (Watch.ALL, Autonomy.SUGGEST, 5)
    limits = (policy.confidence_threshold, policy.cooldown_seconds, policy.attempt_window_seconds)
    assert limits == (0.9, 1, 2)
    assert policy.own_names == {"db", "me"}


# ---- what cannot be used


BAD = {
    "AEGIS_PORT": ["0", "65536", "http", "8001.5"],
    "AEGIS_LOG_LEVEL": ["LOUD"],
    "AEGIS_RUNTIME": ["podman"],
    "AEGIS_WATCH": ["everything"],
    "AEGIS_AUTONOMY": ["full"],
    "AEGIS_WORKERS": ["0", "many"],
    "AEGIS_CONFIDENCE_THRESHOLD": ["1.1", "-0.1", "nan", "high"],
    "AEGIS_COOLDOWN_SECONDS": ["-1", "inf", "nan"],
    "AEGIS_MAX_ATTEMPTS": ["0", "2.5"],
    "AEGIS_ATTEMPT_WINDOW_SECONDS": ["0", "inf"],
    "AEGIS_SENSE_SECONDS": ["0"],
    "AEGIS_VERIFY_WAIT_FACTOR": ["0.5"],
    "AEGIS_MEMORY_PERCENT": ["0", "101"],
    "AEGIS_LLM_BASE_URL": ["go.fastrouter.ai", "ftp://x/"],
    "AEGIS_OLLAMA_URL": ["localhost:11434"],
    "AEGIS_DASHBOARD_URL": ["not an address"],
    "AEGIS_SLACK_WEBHOOK_URL": ["hooks.slack.com/services/" + VALUE],
    "DASHBOARD_PORT": ["99999"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as refusal:
        load()
    assert str(refusal.value).startswith(f"{name}: ")
    assert VALUE not in str(refusal.value)


def test_all_that_cannot_be_used_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEGIS_PORT", "0")
    monkeypatch.setenv("AEGIS_RUNTIME", "podman")
    with pytest.raises(ConfigError, match=r"AEGIS_PORT.*; AEGIS_RUNTIME"):
        load()


@pytest.mark.parametrize("word", ["debug", " Info ", "ERROR"])
def test_a_log_level_may_be_written_as_one_likes(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEGIS_LOG_LEVEL", word)
    assert load().log_level == word.strip().upper()


def test_settings_are_not_changed_once_they_are_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 7


# ---- secrets


def usable(name: str) -> str:
    return f"https://hooks.example/{VALUE}" if name.endswith("_url") else VALUE


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable(name), usable(name))
    settings = load()
    assert getattr(settings, name).get_secret_value() == usable(name)
    shown = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()]
    assert not [text for text in shown if VALUE in text]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_can_stand_in_a_file_which_wins_over_the_environment(
    name: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / "secret").write_text(f"{usable(name)}\n")
    monkeypatch.setenv(variable(name), usable(name).replace(VALUE, "another"))
    monkeypatch.setenv(f"{variable(name)}_FILE", str(nowhere / "secret"))
    settings = load()
    assert getattr(settings, name).get_secret_value() == usable(name)
    assert VALUE not in repr(settings)


def test_the_path_of_a_secret_file_may_stand_in_the_env_file(nowhere: Path) -> None:
    (nowhere / "secret").write_text(VALUE)
    (nowhere / ".env").write_text(f"AEGIS_TOKEN_FILE={nowhere / 'secret'}\n")
    token = load().token
    assert token
    assert token.get_secret_value() == VALUE


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe" + VALUE.encode()])
def test_a_secret_file_that_says_nothing_is_refused_by_the_name_of_its_variable(
    content: bytes | None, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty token would be no token: everybody could post, and nobody would know."""
    if content is not None:
        (nowhere / "secret").write_bytes(content)
    monkeypatch.setenv("AEGIS_TOKEN_FILE", str(nowhere / "secret"))
    with pytest.raises(ConfigError, match=r"^AEGIS_TOKEN_FILE: .*secret") as refusal:
        load()
    assert VALUE not in str(refusal.value)


# ---- described for users


def described() -> dict[str, str]:
    """Every variable that the example file sets, with its value."""
    found = re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: value.strip() for name, value in found}


def test_the_example_describes_exactly_the_settings_that_there_are() -> None:
    assert set(described()) == {variable(field) for field in Settings.model_fields}


def test_the_example_as_it_stands_is_the_defaults(nowhere: Path) -> None:
    (nowhere / ".env").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert load() == Settings(_env_file=None)


def test_every_setting_of_the_example_stands_below_a_line_that_explains_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if not re.match(r"[A-Z][A-Z0-9_]+=", line):
            continue
        above = [one for one in lines[:number] if not re.match(r"[A-Z][A-Z0-9_]+=", one)]
        assert above, line
        assert above[-1].startswith("# "), f"nothing explains {line}"


def test_what_the_example_leaves_empty_would_be_secret_or_optional() -> None:
    optional = {"", None, frozenset(), ()}
    for name, value in described().items():
        field = name.removeprefix("AEGIS_").lower()
        if not value:
            assert Settings.model_fields[field].default in optional, name
