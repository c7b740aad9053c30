"""Small random-weight models of true architectures, made once a test session."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.core.model import Detail, LoadOptions, ModelFiles
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.models.gguf import read_facts
from vidcli.models.shapes import make_pair

if TYPE_CHECKING:
    from vidcli.engine.session import LlamaSession

FAMILIES = (
    "tiny-idefics3",
    "tiny-qwen2vl",
    "tiny-qwen25vl",
    "tiny-qwen3vl",
    "tiny-llava",
    "tiny-internvl",
    "tiny-gemma3",
)


@dataclass(frozen=True)
class Pair:
    """Weights and projector of one shape."""

    shape: str
    weights: Path
    mmproj: Path

    @property
    def files(self) -> ModelFiles:
        return ModelFiles(self.weights, self.mmproj, "a" * 64, "b" * 64, self.shape)


class PairCache:
    """Makes each pair when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[str, Pair] = {}

    def get(self, shape: str) -> Pair:
        if shape not in self._made:
            directory = self._directory / shape
            directory.mkdir()
            self._made[shape] = Pair(shape, *make_pair(shape, directory))
        return self._made[shape]


def load(
    pair: Pair,
    *,
    n_ctx: int = 1024,
    detail: Detail = Detail.NORMAL,
    prefixes: PrefixCache | None = None,
    files: ModelFiles | None = None,
) -> "LlamaSession":
    from vidcli.engine.session import LlamaSession

    return LlamaSession(
        files or pair.files,
        weights_facts=read_facts(pair.weights),
        mmproj_facts=read_facts(pair.mmproj),
        options=LoadOptions(n_ctx=n_ctx, threads=1, detail=detail),
        prefixes=prefixes,
    )
