"""Which provider gives the vectors: the first one that is configured, and none unless a model is named."""

import pytest

from aegis_core.adapters.llm.embeddings import CloudEmbedder, OllamaEmbedder
from aegis_core.brains import embedder_of
from aegis_core.errors import ConfigError
from aegis_core.settings import Settings

OLLAMA = {"ollama_url": "http://127.0.0.1:11434"}
CLOUD = {"llm_api_key": "sk-of-the-test"}


def settings(**known: str) -> Settings:
    return Settings(_env_file=None, **known)


def test_without_a_model_there_are_no_vectors() -> None:
    assert embedder_of(settings(**CLOUD, **OLLAMA)) is None


def test_the_first_provider_that_is_configured_gives_them() -> None:
    assert isinstance(embedder_of(settings(embedding_model="m", **CLOUD, **OLLAMA)), CloudEmbedder)
    assert isinstance(embedder_of(settings(embedding_model="m", **OLLAMA)), OllamaEmbedder)
    own = settings(embedding_model="m", llm_base_url="http://127.0.0.1:8080/v1")
    assert isinstance(embedder_of(own), CloudEmbedder)


def test_a_model_without_a_provider_is_said_to_need_one() -> None:
    with pytest.raises(ConfigError, match="AEGIS_EMBEDDING_MODEL needs a provider"):
        embedder_of(settings(embedding_model="m"))
