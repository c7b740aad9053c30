"""The model that is trained: transformers' modules, given what llama.cpp would be given.

Frames are encoded by themselves, connected, and put between the text embeddings where the prompt
has cells for them; ids, cells and positions come from the engine (`train.prompts`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vidcli.methods.arrange import FRAMES, POOL
from vidcli.methods.arrange import QFORMER as QFORMER_KIND
from vidcli.train.names import Layout
from vidcli.train.qformer import VideoQFormer, choose_heads

if TYPE_CHECKING:
    from torch.nn import Parameter

PARTS = ("connector", "vision", "text", "qformer")
QFORMER = "video_qformer"  # name of the module that is put beside transformers' own
IGNORED = -100  # label of what is not to be learnt
SIGLIP_MEAN = SIGLIP_STD = (0.5, 0.5, 0.5)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, eq=False)
class Batch:
    """Prompts of several samples, padded on the right.

    Attributes:
        ids: int64 [rows, cells]; 0 where a visual token or nothing stands.
        labels: int64 [rows, cells]: the id of the same cell where it is to be learnt, else -100.
        filled: bool [rows, cells]: cells that hold something.
        visual: bool [rows, cells]: cells of visual tokens, in the order of `features`.
        positions: int64 [3, rows, cells] (t, y, x) under M-RoPE; None where they are consecutive.
        features: Of each row: [groups, patches, width] before the connector; None without frames.
        connected: Whether the features are behind the connector already.
    """

    ids: Tensor
    labels: Tensor
    filled: Tensor
    visual: Tensor
    positions: Tensor | None
    features: Sequence[Tensor | None]
    connected: bool = False

    @property
    def n_labels(self) -> int:
        """Tokens to be learnt."""
        return int((self.labels != IGNORED).sum())


class VideoModel:
    """A vision encoder, a connector and a language model in torch.

    Args:
        hf: `SmolVLMForConditionalGeneration` or `Qwen2VLForConditionalGeneration`.
        layout: Where its parts are.
    """

    def __init__(self, hf: Any, layout: Layout) -> None:
        self.hf = hf
        self.layout = layout
        self.arrangement = FRAMES

    def arrange_as(self, kind: str, *, seed: int = 0) -> None:
        """Make fewer tokens of a video's frames: `pool`, or a `qformer` of random weights."""
        self.arrangement = kind
        if kind == QFORMER_KIND:
            width = self.hf.config.text_config.hidden_size
            module = VideoQFormer(width, heads=choose_heads(width), seed=seed)
            self.hf.add_module(QFORMER, module.requires_grad_(False))

    # Parts

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.hf.parameters()).device

    def named(self, part: str) -> Iterator[tuple[str, "Parameter"]]:
        """Names and parameters of `connector`, `vision` or `text`; tied ones once."""
        for name, parameter in self.hf.named_parameters():
            if self.layout.part_of(name) == part:
                yield name, parameter

    def unfreeze(self, parts: Sequence[str]) -> None:
        """Let these parts learn, and no other."""
        for part in PARTS:
            for _, parameter in self.named(part):
                parameter.requires_grad_(part in parts)

    def trainable(self) -> dict[str, "Parameter"]:
        """What learns, by name."""
        return {name: p for name, p in self.hf.named_parameters() if p.requires_grad}

    def train(self, on: bool = True) -> None:
        """Whether dropout is on."""
        self.hf.train(on)

    def reset_connector(self, seed: str) -> None:
        """Give the connector new random weights: normal, deviation 1/sqrt(inputs), biases 0."""
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7], "big")
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for name, parameter in self.named("connector"):
                if parameter.ndim > 1:
                    drawn = torch.randn(parameter.shape, generator=generator)
                    parameter.copy_(drawn * parameter.shape[-1] ** -0.5)
                else:
                    parameter.fill_(1.0 if name.endswith("ln_q.weight") else 0.0)

    # Forward, in paper order

    def encode(self, frames: Tensor) -> Tensor:
        """Frames of one video to features before the connector.

        Args:
            frames: uint8 [groups, frames of a group, height, width, 3].

        Returns:
            [groups, patches, width]; patches in the order the connector merges them.
        """
        pixels = frames.to(self.device)
        return self._encode_qwen(pixels) if self._is_qwen else self._encode_siglip(pixels)

    def connect(self, features: Tensor) -> Tensor:
        """Features of any number of groups to visual tokens [groups, tokens, n_embd]."""
        if not self._is_qwen:
            return self.hf.model.connector(features)
        groups = features.shape[0]
        merged = self.hf.model.visual.merger(features.flatten(0, 1))
        return merged.view(groups, -1, merged.shape[-1])

    def logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits [n, vocabulary] of the cells before each label, and the labels [n]."""
        tokens = self._visual_tokens(batch)
        embeddings = self.hf.get_input_embeddings()(batch.ids)
        if tokens is not None:
            embeddings = embeddings.masked_scatter(batch.visual[..., None], tokens)
        text = self.hf.model.language_model if self._is_qwen else self.hf.model.text_model
        hidden = text(
            inputs_embeds=embeddings,
            attention_mask=batch.filled.long(),
            position_ids=batch.positions,
            use_cache=False,
        ).last_hidden_state
        wanted = batch.labels[:, 1:] != IGNORED
        return self.hf.lm_head(hidden[:, :-1][wanted]), batch.labels[:, 1:][wanted]

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of the labels; 0 with no gradient to anything where there are none."""
        logits, labels = self.logits(batch)
        if not len(labels):
            return logits.sum() * 0.0
        return torch.nn.functional.cross_entropy(logits.float(), labels)

    @property
    def _is_qwen(self) -> bool:
        return self.layout.family == "qwen2vl"

    def _visual_tokens(self, batch: Batch) -> Tensor | None:
        """Visual tokens of the whole batch, in order [cells, n_embd]."""
        given = [features.to(self.device) for features in batch.features if features is not None]
        if not given:
            return None
        if self.arrangement != FRAMES:
            connected = given if batch.connected else [self.connect(f) for f in given]
            return torch.cat([self._arrange(tokens) for tokens in connected])
        if batch.connected:
            return torch.cat([features.flatten(0, 1) for features in given])
        if len({features.shape[1:] for features in given}) == 1:
            return self.connect(torch.cat(given)).flatten(0, 1)
        return torch.cat([self.connect(features).flatten(0, 1) for features in given])

    def _arrange(self, tokens: Tensor) -> Tensor:
        """[frames, places, width] of one video to [tokens, width]."""
        if self.arrangement == POOL:
            return torch.cat([tokens.mean(1), tokens.mean(0)])
        return getattr(self.hf, QFORMER)(tokens)

    def _encode_siglip(self, frames: Tensor) -> Tensor:
        vision = self.hf.model.vision_model
        pixels = _normalise(frames[:, -1], SIGLIP_MEAN, SIGLIP_STD)
        patches = vision.embeddings.patch_embedding(pixels.to(_dtype(vision)))
        # transformers finds the positions of a full square through rounded fractions; llama.cpp
        # counts. They are the same numbers unless rounding fails.
        hidden = patches.flatten(2).transpose(1, 2) + vision.embeddings.position_embedding.weight
        encoded = vision.encoder(inputs_embeds=hidden, attention_mask=None).last_hidden_state
        return vision.post_layernorm(encoded)

    def _encode_qwen(self, frames: Tensor) -> Tensor:
        vision = self.hf.model.visual
        groups, _, height, width, _ = frames.shape
        pixels = _normalise(frames.flatten(0, 1), CLIP_MEAN, CLIP_STD)
        pixels = pixels.view(groups, 2, 3, height, width)
        size = vision.config.patch_size
        rows, columns = height // size // 2, width // size // 2
        cut = pixels.view(groups, 2, 3, rows, 2, size, columns, 2, size)
        patches = cut.permute(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape(groups * rows * columns * 4, -1)
        grid = torch.tensor([[1, rows * 2, columns * 2]] * groups, device=frames.device)
        encoded = vision(patches.to(_dtype(vision)), grid_thw=grid).last_hidden_state
        return encoded.view(groups, rows * columns * 4, -1)


def _normalise(frames: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """uint8 [n, height, width, 3] to float32 [n, 3, height, width], as mtmd does."""
    scale = torch.tensor(std, device=frames.device)
    shift = torch.tensor(mean, device=frames.device)
    return ((frames.float() / 255 - shift) / scale).permute(0, 3, 1, 2).contiguous()


def _dtype(module: Any) -> torch.dtype:
    return next(module.parameters()).dtype
