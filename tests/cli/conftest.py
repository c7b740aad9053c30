"""A small real model, named by the environment as a user would, and a clip to ask about."""

from pathlib import Path

import pytest

from tests.clips import ClipCache
from tests.pairs import PairCache
from vidcli.cli.caches import TRIED
from vidcli.settings import cache_dir


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Marks of models used before: a model is tried once a session, not once a test."""
    return tmp_path_factory.mktemp("tried")


@pytest.fixture
def model(pairs: PairCache, tried: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of a tiny random SmolVLM; its projector lies beside it."""
    cache_dir().mkdir(parents=True)
    (cache_dir() / TRIED).symlink_to(tried)
    pair = pairs.get("tiny-idefics3")
    monkeypatch.setenv("VIDCLI_MODEL", str(pair.weights))
    monkeypatch.setenv("VIDCLI_THREADS", "1")
    monkeypatch.delenv("VIDCLI_MMPROJ", raising=False)
    return pair.weights


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    """Two seconds at 25 frames a second, 192×108."""
    return clips.get(duration=2.0)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """An empty file that calls itself a video."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"")
    return path
