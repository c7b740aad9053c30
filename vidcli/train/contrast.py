"""Contrastive pretraining: heads that bring a video and its text together, the model frozen.

Source: LaViLa (arXiv:2212.04501) section 3.4, InfoNCE with a learned temperature from 0.07.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from vidcli.core.protocols import Progress
from vidcli.errors import UsageError
from vidcli.methods.dual import NAMES, DualHeads, rank_texts, save_heads, summarize_video
from vidcli.models.bundle import Bundle, place_file
from vidcli.train.config import RunConfig
from vidcli.train.corpus import Corpus, Item, draw, order_items
from vidcli.train.export import publish
from vidcli.train.loop import METRICS, read_metrics, run_loop
from vidcli.train.model import Batch, VideoModel
from vidcli.train.plot import draw_losses

DIM = 128
TEMPERATURE = 0.07


def info_nce(video: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE of unit vectors [n, dim] whose rows belong together.

    Args:
        video: One of each pair.
        text: The other.
        scale: Scalar; similarities are multiplied by its exponential.
    """
    logits = video @ text.T * scale.exp()
    wanted = torch.arange(len(logits), device=logits.device)
    loss = nn.functional.cross_entropy
    return (loss(logits, wanted) + loss(logits.T, wanted)) / 2


class Heads(nn.Module):
    """Linear heads of the video's and the text's summaries.

    Args:
        width: Of a visual token.
        dim: Of the common space.
    """

    def __init__(self, width: int, dim: int = DIM) -> None:
        super().__init__()
        self.video = nn.Linear(2 * width, dim)
        self.text = nn.Linear(width, dim)
        self.scale = nn.Parameter(torch.tensor(math.log(1 / TEMPERATURE)))

    def forward(self, videos: Tensor, texts: Tensor) -> Tensor:
        """InfoNCE of summaries [n, 2 width] and [n, width]."""
        normal = nn.functional.normalize
        return info_nce(normal(self.video(videos)), normal(self.text(texts)), self.scale)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Summaries of a batch; what `run_loop` takes for a batch."""

    videos: Tensor
    texts: Tensor

    @property
    def n_labels(self) -> int:
        """Pairs."""
        return len(self.videos)


class HeadModel:
    """Heads as `run_loop` wants a model."""

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.layout = self

    @property
    def device(self) -> torch.device:
        """Where the heads are: they are small."""
        return torch.device("cpu")

    def trainable(self) -> dict[str, Tensor]:
        """What learns."""
        return dict(self.heads.named_parameters())

    def train(self, on: bool = True) -> None:
        """Nothing here depends on it."""

    @staticmethod
    def part_of(_name: str) -> str:
        """Heads learn at the pace of a connector."""
        return "connector"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How well held-out texts are found by their videos.

    Attributes:
        recall_at_1: Share of the videos whose best text is their own.
        chance: The same for a guess.
        videos: How many.
        texts: Distinct ones.
    """

    recall_at_1: float
    chance: float
    videos: int
    texts: int


def run_contrast(
    model: VideoModel,
    train: Corpus,
    held_out: Corpus,
    config: RunConfig,
    *,
    folder: Path,
    digest: str,
    progress: Progress | None = None,
) -> tuple[Heads, dict[str, Any], dict[str, Any]]:
    """Train heads, from the folder's checkpoint where it has one.

    Returns:
        The heads, and the retrieval of held-out texts before and after.

    Raises:
        UsageError: A batch holds a single pair, which has nothing to be told from.
    """
    if config.batch < 2:
        raise UsageError("a batch of one pair has nothing to tell apart", hint="--batch 32")
    torch.manual_seed(config.seed)
    heads = Heads(model.hf.config.text_config.hidden_size)
    before = measure_retrieval(heads, model, held_out)

    def batches(step: int) -> list[Pairs]:
        numbers = order_items(
            len(train), seed=config.seed, start=step * config.batch, count=config.batch
        )
        items = [draw(train.items[n], seed=config.seed, step=step) for n in numbers]
        items = list({item.said[0].answer: item for item in items}.values())
        videos, texts = summaries(model, train, items)
        return [Pairs(videos, texts)]

    run_loop(
        cast(VideoModel, HeadModel(heads)),
        cast(Any, batches),
        config.loop,
        folder=folder,
        digest=digest,
        loss=lambda _model, batch: _loss(heads, batch),
        progress=progress,
    )
    after = measure_retrieval(heads, model, held_out)
    draw_losses(read_metrics(folder / METRICS), folder / "loss.png", title="contrast")
    return heads, asdict(before), asdict(after)


def _loss(heads: Heads, batch: Batch) -> Tensor:
    pairs = cast(Any, batch)
    loss: Tensor = heads(pairs.videos, pairs.texts)
    return loss


def summaries(model: VideoModel, corpus: Corpus, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
    """What heads are given: videos [n, 2 width] and texts [n, width]."""
    videos = [torch.from_numpy(summarize_video(corpus.features(item).numpy())) for item in items]
    texts = [embed_answer(model, corpus, item.said[0].answer).mean(0) for item in items]
    return torch.stack(videos), torch.stack(texts)


def embed_answer(model: VideoModel, corpus: Corpus, text: str) -> Tensor:
    """Embeddings of a text's tokens [tokens, width]."""
    ids = torch.tensor(corpus.scribe.tokenize(f" {text}"))
    with torch.no_grad():
        embedded: Tensor = model.hf.get_input_embeddings()(ids.to(model.device)).float().cpu()
    return embedded


def measure_retrieval(heads: Heads, model: VideoModel, corpus: Corpus) -> Retrieval:
    """Whether each video's best text, of all distinct ones, is its own."""
    numpy = to_numpy(heads, {})
    answers = list(dict.fromkeys(item.said[0].answer for item in corpus.items))
    texts = [numpy.embed_text(embed_answer(model, corpus, text).numpy()) for text in answers]
    hits = 0
    for item in corpus.items:
        video = numpy.embed_video(corpus.features(item).numpy().astype(np.float32))
        hits += answers[rank_texts(video, texts)[0]] == item.said[0].answer
    return Retrieval(hits / len(corpus.items), 1 / len(answers), len(corpus.items), len(answers))


def to_numpy(heads: Heads, meta: dict[str, Any]) -> DualHeads:
    """The heads as `search` runs them."""
    state = heads.state_dict()
    return DualHeads({name: state[name].float().numpy().copy() for name in NAMES}, meta)


def export_heads(heads: Heads, bundle: Bundle, base_sha256: tuple[str, str]) -> Bundle:
    """Put heads beside a model's own files, as a bundle.

    Args:
        heads: Trained.
        bundle: Of the run's folder; its weights and projector are the base's.
        base_sha256: Of weights and projector.
    """
    from dataclasses import replace

    folder, name = bundle.folder, bundle.name
    path = folder / f"heads-{name}.npz"
    meta = dict(zip(("weights_sha256", "mmproj_sha256"), base_sha256, strict=True))
    save_heads(path, to_numpy(heads, meta))
    weights = place_file(bundle.weights, folder / bundle.weights.name)
    mmproj = place_file(bundle.mmproj, folder / bundle.mmproj.name)
    return publish(replace(bundle, weights=weights, mmproj=mmproj, heads=path))
