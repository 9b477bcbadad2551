"""The wiring of the brain: settings → rungs → ladder. Whoever measures the ladder measures the one that serves."""

from collections.abc import Mapping, Sequence
from typing import Final

from aegis_core.adapters.llm.chain import Ladder, Observer, Rung
from aegis_core.adapters.llm.cloud import CloudRung
from aegis_core.adapters.llm.ollama import OllamaRung
from aegis_core.adapters.llm.rules import RulesRung
from aegis_core.domain.diagnosis import Source
from aegis_core.errors import ConfigError
from aegis_core.ports import Brain
from aegis_core.settings import DEFAULT_LLM_BASE_URL, Settings

ONE_CALL: Final = 0.7  # of a rung's time that one call may take: the rest is for a retry or a repair
_MISSING: Final[Mapping[Source, str]] = {
    Source.CLOUD: "set AEGIS_LLM_API_KEY, or AEGIS_LLM_BASE_URL to a server of your own",
    Source.OLLAMA: "set AEGIS_OLLAMA_URL, such as http://127.0.0.1:11434",
}

Rungs = Sequence[CloudRung | OllamaRung | RulesRung]


def ladder(rungs: Sequence[Rung], observe: Observer | None = None) -> Ladder:
    """Put the ladder together."""
    return Ladder(rungs, observe=observe)


def brain(settings: Settings, alone: Source | None = None) -> Brain:
    """The ladder as it serves, or one of its rungs alone. Raises ConfigError where that rung is not configured."""
    rungs = rungs_of(settings)
    if alone is None:
        return ladder(rungs)
    found = next((rung for rung in rungs if rung.source is alone), None)
    if found is None:
        raise ConfigError(f"the {alone} rung is not configured: {_MISSING[alone]}")
    return found


def rungs_of(settings: Settings) -> Rungs:
    """The rungs that are configured, in the order in which they are asked."""
    rungs: list[CloudRung | OllamaRung | RulesRung] = []
    key = settings.llm_api_key
    if key or settings.llm_base_url != DEFAULT_LLM_BASE_URL:  # a server of one's own may want no key
        rungs.append(
            CloudRung(
                base_url=settings.llm_base_url,
                api_key=key.get_secret_value() if key else "none",
                model=settings.llm_model,
                timeout=settings.llm_timeout_seconds * ONE_CALL,
                budget=settings.llm_timeout_seconds,
            )
        )
    if settings.ollama_url:
        rungs.append(
            OllamaRung(
                base_url=settings.ollama_url,
                model=settings.ollama_model,
                timeout=settings.ollama_timeout_seconds * ONE_CALL,
                budget=settings.ollama_timeout_seconds,
            )
        )
    return [*rungs, RulesRung()]
