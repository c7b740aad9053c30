"""A small real model, named by the environment as a user would, and a clip to ask about."""

from pathlib import Path

import pytest

from tests.clips import ClipCache
from tests.pairs import PairCache


@pytest.fixture
def model(pairs: PairCache, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of a tiny random SmolVLM; its projector lies beside it."""
    pair = pairs.get("tiny-idefics3")
    monkeypatch.setenv("VIDCLI_MODEL", str(pair.weights))
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
