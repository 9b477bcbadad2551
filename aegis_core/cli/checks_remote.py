"""The checks of `aegis doctor` on what answers over a network or a socket. They change nothing."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

import requests

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.errors import RuntimeProblem
from aegis_core.settings import RuntimeChoice, Settings

from .client import CoreClient, core_url, why
from .failures import CoreAway, CoreRefused
from .finding import Finding, Verdict, fail, ok, warn
from .words import counted, short

ENGINE_SECONDS: Final = 5
LLM_SECONDS: Final = (3.0, 5.0)  # to connect, to answer
REFUSED: Final = frozenset({401, 403})


def engine(settings: Settings) -> Finding:
    """The Docker engine and the right to talk to it."""
    name = "Docker engine"
    if settings.runtime is RuntimeChoice.PROCESS:
        return ok(name, "not used: AEGIS_RUNTIME=process")
    try:
        with closing(DockerRuntime(settings.docker_host or None, ENGINE_SECONDS)) as runtime:
            version, targets = runtime.version(), len(runtime.targets())
    except RuntimeProblem as error:
        return _without_engine(name, str(error), settings)
    return ok(name, f"{version} answers, {counted(targets, 'container')}")


def _without_engine(name: str, problem: str, settings: Settings) -> Finding:
    if settings.runtime is RuntimeChoice.AUTO and settings.processes:
        return warn(name, problem, "Until then the embedded process runtime is used.")
    advice = "For targets without Docker: AEGIS_RUNTIME=process and AEGIS_PROCESSES."
    return fail(name, problem, advice)


def compose(settings: Settings) -> Finding | None:
    """Docker's command line, which `aegis demo` uses; None where Docker is not in question."""
    if settings.runtime is RuntimeChoice.PROCESS:
        return None
    found = shutil.which("docker")
    if found:
        return ok("docker command", found)
    return warn("docker command", "not found", "`aegis demo` uses the embedded runtime then. Aegis itself needs none.")


def llm(settings: Settings) -> Finding:
    """The cloud rung. The key goes to the configured endpoint only, and nothing but the list of models is asked for."""
    name = "cloud model"
    if settings.llm_api_key is None:
        return ok(name, "not configured: the other rungs answer (AEGIS_LLM_API_KEY)")
    headers = {"Authorization": f"Bearer {settings.llm_api_key.get_secret_value()}"}
    try:
        url = f"{settings.llm_base_url.rstrip('/')}/models"
        answer = requests.get(url, headers=headers, timeout=LLM_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        problem = f"{settings.llm_base_url} does not answer ({why(error)})"
        return warn(name, problem, "Check AEGIS_LLM_BASE_URL and the network; until then the other rungs answer.")
    if answer.status_code in REFUSED:
        problem = f"{settings.llm_base_url} refuses the key (HTTP {answer.status_code})"
        return warn(name, problem, "Check AEGIS_LLM_API_KEY; until then the other rungs answer.")
    if answer.status_code != requests.codes.ok:
        problem = f"{settings.llm_base_url}/models answers with HTTP {answer.status_code}"
        return warn(name, problem, "Check AEGIS_LLM_BASE_URL: it usually ends in /v1.")
    return _model(name, settings.llm_model, settings.llm_base_url, _listed(answer, "data", "id"), "AEGIS_LLM_MODEL")


def ollama(settings: Settings) -> Finding:
    """The local model."""
    name = "Ollama"
    if not settings.ollama_url:
        return ok(name, "not configured (AEGIS_OLLAMA_URL)")
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{settings.ollama_url.rstrip('/')}/api/tags", timeout=LLM_SECONDS)
            models = _listed(answer, "models", "name")
    except requests.RequestException as error:
        problem = f"{settings.ollama_url} does not answer ({why(error)})"
        return warn(name, problem, "Start it with `ollama serve`, or correct AEGIS_OLLAMA_URL.")
    wanted = settings.ollama_model
    if models is not None and f"{wanted}:latest" in models:
        models = {*models, wanted}
    found = _model(name, wanted, settings.ollama_url, models, "AEGIS_OLLAMA_MODEL")
    return found if found.verdict is Verdict.OK else warn(name, found.detail, f"Run `ollama pull {wanted}`.")


def _listed(answer: requests.Response, part: str, key: str) -> set[str] | None:
    """The names in an answer; None where it lists nothing."""
    try:
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        return None
    rows = body.get(part) if isinstance(body, dict) else None
    return {str(row.get(key)) for row in rows if isinstance(row, Mapping)} if isinstance(rows, list) else None


def _model(name: str, wanted: str, where: str, models: set[str] | None, setting: str) -> Finding:
    if models is None:
        return warn(name, f"{where} answers, but lists no models", f"Check the address, and {setting}={wanted}.")
    if wanted not in models:
        return warn(name, f"{where} answers, but has no model {wanted}", f"Set {setting} to one that it has.")
    return ok(name, f"{where} answers and has {wanted}")


def slack(settings: Settings) -> Finding:
    """Only whether it is set: nothing is posted."""
    if settings.slack_webhook_url is None:
        return ok("Slack", "not configured: notices are in the log and on the dashboard (AEGIS_SLACK_WEBHOOK_URL)")
    url = urlsplit(settings.slack_webhook_url.get_secret_value())
    if url.scheme not in {"http", "https"} or not url.hostname:
        return warn("Slack", "AEGIS_SLACK_WEBHOOK_URL is no URL", "Copy the incoming webhook's URL from Slack.")
    return ok("Slack", f"set ({url.scheme}://{url.hostname}/…); nothing was posted")


def core(settings: Settings) -> Finding:
    """The running agent, by its own word."""
    client = CoreClient(core_url(settings))
    try:
        seen = client.ready()
    except (CoreAway, CoreRefused) as error:
        return warn("agent", short(str(error), 300))
    if not seen.ready:
        return fail("agent", f"{client.url} is degraded: {short('; '.join(seen.troubles), 300)}", "See its log.")
    return ok("agent", f"{client.url} is ready (runtime {seen.runtime}, brain {' → '.join(seen.brain)})")
