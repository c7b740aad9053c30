"""Fixtures of the engine's tests."""

from collections.abc import Iterator

import pytest

from tests.engine.byte_model import GrammarDriver, write_byte_model
from vidcli.core.model import LoadOptions
from vidcli.engine.weights import Weights


@pytest.fixture(scope="session")
def byte_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weights]:
    path = write_byte_model(tmp_path_factory.mktemp("bytes") / "bytes.gguf")
    with Weights(path, LoadOptions(gpu_layers=0)) as weights:
        yield weights


@pytest.fixture(scope="session")
def driver(byte_weights: Weights) -> GrammarDriver:
    return GrammarDriver(byte_weights)
