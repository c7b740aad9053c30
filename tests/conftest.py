"""Fixtures every test may use: generated clips, and nothing of the user's own directories."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.clips import ClipCache
from tests.hub import Hub
from tests.pairs import PairCache
from tests.whisper import build_whisper

# A busy machine is no failure, and what CI finds a person can find again.
settings.register_profile(
    "vidcli",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("vidcli")


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipCache:
    return ClipCache(tmp_path_factory.mktemp("clips"))


@pytest.fixture(autouse=True)
def own_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches and histories go to a temporary place, never to the user's."""
    base: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDCLI_CONFIG_DIR", str(base / "config"))
        patch.setenv("VIDCLI_CACHE_DIR", str(base / "cache"))
        patch.setenv("VIDCLI_STATE_DIR", str(base / "state"))
        patch.setenv("VIDCLI_DATA_DIR", str(base / "data"))
        patch.setenv("HF_HOME", str(base / "hub"))
        yield


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> PairCache:
    return PairCache(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Whisper model that tells two voices apart."""
    return build_whisper(tmp_path_factory.mktemp("whisper") / "tiny-whisper")


@pytest.fixture
def nano(monkeypatch: pytest.MonkeyPatch) -> str:
    """The packaged model, which knows the drawn world, as the one that commands load."""
    from vidcli.models.packaged import NAME

    monkeypatch.setenv("VIDCLI_MODEL", NAME)
    monkeypatch.setenv("VIDCLI_THREADS", "1")
    monkeypatch.delenv("VIDCLI_MMPROJ", raising=False)
    return NAME


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine, which both this process and its children take for the real one."""
    import huggingface_hub
    from huggingface_hub import constants

    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "VIDCLI_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Hub().serving() as served:
        home = os.environ["HF_HOME"]
        monkeypatch.setenv("HF_ENDPOINT", served.endpoint)
        # The client reads its environment once, when it is imported.
        template = served.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", served.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", f"{home}/hub")
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", f"{home}/token")
        huggingface_hub.close_session()
        yield served
        huggingface_hub.close_session()
