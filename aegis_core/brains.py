"""The wiring of the brain: settings → rungs → ladder. Whoever measures the ladder measures the one that serves."""

from collections.abc import Mapping, Sequence
from typing import Final

from aegis_core.adapters.llm.arbiter import Arbitrated
from aegis_core.adapters.llm.chain import Ladder, Observer, Rung
from aegis_core.adapters.llm.cloud import CloudRung
from aegis_core.adapters.llm.embeddings import CloudEmbedder, OllamaEmbedder
from aegis_core.adapters.llm.ollama import OllamaRung
from aegis_core.adapters.llm.rules import RulesRung
from aegis_core.adapters.llm.writer import ModelWriter
from aegis_core.domain.diagnosis import Source
from aegis_core.errors import ConfigError
from aegis_core.ports import Brain, Writer
from aegis_core.settings import DEFAULT_LLM_BASE_URL, Settings

ONE_CALL: Final = 0.7  # of a rung's time that one call may take: the rest is for a retry or a repair
_MISSING: Final[Mapping[Source, str]] = {
    Source.CLOUD: "set AEGIS_LLM_API_KEY, or AEGIS_LLM_BASE_URL to a server of your own",
    Source.OLLAMA: "set AEGIS_OLLAMA_URL, such as http://127.0.0.1:11434",
}

Rungs = Sequence[CloudRung | OllamaRung | RulesRung]


def ladder(rungs: Sequence[Rung], observe: Observer | None = None) -> Ladder:
    """Put the ladder together: what a model answers is arbitrated, with the rules as the witness."""
    rules = next((rung for rung in rungs if isinstance(rung, RulesRung)), None)
    if rules is None:
        return Ladder(rungs, observe=observe)
    arbitrated = [Arbitrated(rung, rules) if isinstance(rung, CloudRung | OllamaRung) else rung for rung in rungs]
    return Ladder(arbitrated, observe=observe)


def brain(settings: Settings, alone: Source | None = None) -> Brain:
    """What is measured: the ladder as it serves but for the runbook, or one of its rungs alone.

    The runbook would answer one's own incidents out of their own lessons. Raises ConfigError where the rung is not
    configured.
    """
    rungs = rungs_of(settings)
    if alone is None:
        return ladder(rungs)
    found = next((rung for rung in rungs if rung.source is alone), None)
    if found is None:
        raise ConfigError(f"the {alone} rung is not configured: {_MISSING[alone]}")
    return found


def writer(rungs: Sequence[Rung]) -> Writer | None:
    """Whoever of the rungs can write in words; None where none can."""
    models = [rung for rung in rungs if isinstance(rung, CloudRung | OllamaRung)]
    return ModelWriter(models) if models else None


def rungs_of(settings: Settings) -> Rungs:
    """The rungs that are configured, in the order in which they are asked."""
    rungs: list[CloudRung | OllamaRung | RulesRung] = []
    if _has_cloud(settings):
        rungs.append(
            CloudRung(
                base_url=settings.llm_base_url,
                api_key=_key(settings),
                model=settings.llm_model,
                timeout=settings.llm_timeout_seconds * ONE_CALL,
                budget=settings.llm_timeout_seconds,
                most_characters=settings.llm_evidence_characters,
            )
        )
    if settings.ollama_url:
        rungs.append(
            OllamaRung(
                base_url=settings.ollama_url,
                model=settings.ollama_model,
                timeout=settings.ollama_timeout_seconds * ONE_CALL,
                budget=settings.ollama_timeout_seconds,
                most_characters=settings.llm_evidence_characters,
            )
        )
    return [*rungs, RulesRung()]


def embedder_of(settings: Settings) -> CloudEmbedder | OllamaEmbedder | None:
    """What turns lessons into vectors: a model of the first provider that is configured; None where none is named.

    Raises ConfigError where a model is named and no provider is there.
    """
    model = settings.embedding_model
    if not model:
        return None
    if _has_cloud(settings):
        return CloudEmbedder(base_url=settings.llm_base_url, api_key=_key(settings), model=model)
    if settings.ollama_url:
        return OllamaEmbedder(base_url=settings.ollama_url, model=model)
    raise ConfigError(f"AEGIS_EMBEDDING_MODEL needs a provider: {_MISSING[Source.CLOUD]}; or {_MISSING[Source.OLLAMA]}")


def _has_cloud(settings: Settings) -> bool:
    """A server of one's own may want no key."""
    return settings.llm_api_key is not None or settings.llm_base_url != DEFAULT_LLM_BASE_URL


def _key(settings: Settings) -> str:
    return settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
