"""Fixtures every test may use: generated clips, and nothing of the user's own directories."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clips import ClipCache
from tests.pairs import PairCache


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipCache:
    return ClipCache(tmp_path_factory.mktemp("clips"))


@pytest.fixture(autouse=True)
def own_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches and histories go to a temporary place, never to the user's."""
    base: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDCLI_CACHE_DIR", str(base / "cache"))
        patch.setenv("VIDCLI_STATE_DIR", str(base / "state"))
        yield


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> PairCache:
    return PairCache(tmp_path_factory.mktemp("pairs"))
