"""SmolVLM's arithmetic in few plain modules, and one clip shared by many separate questions.

The numbers are those of transformers' SmolVLM and of llama.cpp: SigLIP without a mask, pixel
shuffle, one matrix, llama. What is added is the attention of `Turns`: every question sees the clip
and itself, no other question, so a clip is read once for all that is asked about it.

Source: SmolVLM (arXiv:2504.05299) for the architecture; the attention is that of separate
sequences with a common prefix, which the tests compare with.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidcli.train.scratch import ScratchConfig

VISION_EPS, TEXT_EPS = 1e-6, 1e-5
MASKED = -1e4  # added to scores of what may not be seen; fits bfloat16


@dataclass(frozen=True, slots=True)
class Turns:
    """How a sequence is laid out: a clip, then groups of questions of one length each.

    Attributes:
        prefix: Cells of the clip.
        groups: Of each group how many questions, and cells of one.
    """

    prefix: int
    groups: tuple[tuple[int, int], ...]

    @property
    def cells(self) -> int:
        """Of the whole sequence."""
        return self.prefix + sum(count * length for count, length in self.groups)

    def positions(self) -> Tensor:
        """int64 [cells]: every question goes on where the clip ends."""
        parts = [torch.arange(self.prefix)]
        parts += [(self.prefix + torch.arange(n)).repeat(count) for count, n in self.groups]
        return torch.cat(parts)


class VisionBlock(nn.Module):
    """A layer of the vision encoder; every patch sees every patch."""

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__()
        width = sizes.vision_width
        self.heads = sizes.vision_heads
        self.norm1 = nn.LayerNorm(width, eps=VISION_EPS)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=VISION_EPS)
        self.up = nn.Linear(width, sizes.vision_inner)
        self.down = nn.Linear(sizes.vision_inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """[frames, patches, width] to the same."""
        n, patches, width = x.shape
        size = width // self.heads
        split = self.qkv(self.norm1(x)).view(n, patches, 3, self.heads, size)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # [frames, heads, patches, size]
        seen = ((query * size**-0.5) @ key.transpose(-1, -2)).softmax(-1) @ value
        x = x + self.out(seen.transpose(1, 2).reshape(n, patches, width))
        inner = functional.gelu(self.up(self.norm2(x)), approximate="tanh")
        summed: Tensor = x + self.down(inner)
        return summed


class VisionTower(nn.Module):
    """Frames to features of their patches."""

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__()
        self.patch_size = sizes.patch_size
        self.grid = sizes.image_size // sizes.patch_size
        self.patch = nn.Linear(3 * sizes.patch_size**2, sizes.vision_width)
        self.places = nn.Parameter(torch.zeros(self.grid**2, sizes.vision_width))
        self.blocks = nn.ModuleList(VisionBlock(sizes) for _ in range(sizes.vision_layers))
        self.norm = nn.LayerNorm(sizes.vision_width, eps=VISION_EPS)

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 [frames, side, side, 3] to [frames, patches, width]."""
        grid, size = self.grid, self.patch_size
        cut = frames.view(-1, grid, size, grid, size, 3).permute(0, 1, 3, 5, 2, 4)
        pixels = cut.reshape(-1, grid**2, 3 * size**2).to(self.places.dtype)
        x = self.patch(pixels.mul(1 / 127.5).sub(1)) + self.places
        for block in self.blocks:
            x = block(x)
        features: Tensor = self.norm(x)
        return features


def shuffle_pixels(features: Tensor, scale: int) -> Tensor:
    """Join neighbouring patches, `scale` a side: [frames, tokens, width * scale²]."""
    n, patches, width = features.shape
    side = round(patches**0.5)
    x = features.view(n, side, side // scale, width * scale).permute(0, 2, 1, 3)
    x = x.reshape(n, side // scale, side // scale, width * scale**2).permute(0, 2, 1, 3)
    return x.reshape(n, patches // scale**2, width * scale**2)


class TextBlock(nn.Module):
    """A layer of the language model."""

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads = sizes.heads, sizes.kv_heads
        self.size = sizes.width // sizes.heads
        self.norm1 = nn.RMSNorm(sizes.width, eps=TEXT_EPS)
        self.qkv = nn.Linear(sizes.width, (self.heads + 2 * self.kv_heads) * self.size, bias=False)
        self.out = nn.Linear(sizes.width, sizes.width, bias=False)
        self.norm2 = nn.RMSNorm(sizes.width, eps=TEXT_EPS)
        self.gate_up = nn.Linear(sizes.width, 2 * sizes.inner, bias=False)
        self.down = nn.Linear(sizes.inner, sizes.width, bias=False)

    def forward(
        self, x: Tensor, turns: Turns, rotary: tuple[Tensor, Tensor], masks: Sequence[Tensor]
    ) -> Tensor:
        """[clips, cells, width] to the same."""
        x = x + self.out(self._attend(self.norm1(x), turns, rotary, masks))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        summed: Tensor = x + self.down(functional.silu(gate) * up)
        return summed

    def _attend(
        self, x: Tensor, turns: Turns, rotary: tuple[Tensor, Tensor], masks: Sequence[Tensor]
    ) -> Tensor:
        n, cells, width = x.shape
        split = self.qkv(x).view(n, cells, -1, self.size)
        turned = rotate(split[:, :, : self.heads + self.kv_heads], *rotary)
        query = (turned[:, :, : self.heads] * self.size**-0.5).transpose(1, 2)
        key, value = (
            self._spread(turned[:, :, self.heads :]),
            self._spread(split[:, :, self.heads + self.kv_heads :]),
        )  # [clips, heads, cells, size] all three
        start = turns.prefix
        clip_key, clip_value = key[:, :, :start].transpose(-1, -2), value[:, :, :start]
        seen = [(query[:, :, :start] @ clip_key + masks[0]).softmax(-1) @ clip_value]
        for (count, length), mask in zip(turns.groups, masks[1:], strict=True):
            stop = start + count * length
            shape = (n, self.heads, count, length, self.size)
            own_query = query[:, :, start:stop]
            own_key, own_value = (part[:, :, start:stop].reshape(shape) for part in (key, value))
            own = own_query.reshape(shape) @ own_key.transpose(-1, -2) + mask
            scores = torch.cat(
                (own_query @ clip_key, own.view(n, self.heads, count * length, length)), -1
            )
            shares = scores.softmax(-1)
            inside = shares[..., turns.prefix :].reshape(n, self.heads, count, length, length)
            seen.append(
                shares[..., : turns.prefix] @ clip_value
                + (inside @ own_value).view(n, self.heads, count * length, self.size)
            )
            start = stop
        return torch.cat(seen, 2).transpose(1, 2).reshape(n, cells, width)

    def _spread(self, x: Tensor) -> Tensor:
        """Key heads to as many as there are query heads: [clips, heads, cells, size]."""
        return x.repeat_interleave(self.heads // self.kv_heads, 2).transpose(1, 2)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions, the halves of a head turned against each other."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1)


class SmallModel(nn.Module):
    """A whole SmolVLM: vision tower, connector, language model with tied embeddings.

    Args:
        sizes: Its sizes; `tied` must hold.
    """

    def __init__(self, sizes: ScratchConfig) -> None:
        super().__init__()
        assert sizes.tied, "the output matrix is the embedding table"
        self.sizes = sizes
        self.vision = VisionTower(sizes)
        joined = sizes.vision_width * sizes.scale_factor**2
        self.connector = nn.Linear(joined, sizes.width, bias=False)
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.blocks = nn.ModuleList(TextBlock(sizes) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.width, eps=TEXT_EPS)
        self._tables: dict[tuple[Turns, torch.dtype], tuple[Tensor, Tensor, list[Tensor]]] = {}

    def see(self, frames: Tensor) -> Tensor:
        """uint8 [frames, side, side, 3] to joined patches [frames, tokens, joined width]."""
        return shuffle_pixels(self.vision(frames), self.sizes.scale_factor)

    def read(
        self,
        clip: Tensor,
        slots: Tensor,
        features: Tensor | None,
        questions: Sequence[Tensor],
        *,
        taps: Collection[int] = (),
    ) -> tuple[list[Tensor], dict[int, Tensor]]:
        """Hidden states of questions about clips.

        Args:
            clip: int64 [clips, cells]: ids of the clips' own cells; those of `slots` do not count.
            slots: int64 [tokens]: cells of a clip that hold its visual tokens.
            features: [clips, tokens, joined width], before the connector; None shows nothing.
            questions: Groups of ids, int64 [clips, count, length].
            taps: Layers, from 1, after which the hidden states of all cells are handed out.

        Returns:
            Normed hidden states of each group [clips, count, length, width], and after each layer
            of `taps` those of all cells [clips, cells, width], not normed.
        """
        n = len(clip)
        turns = Turns(clip.shape[1], tuple((q.shape[1], q.shape[2]) for q in questions))
        x = self.embedding(torch.cat([clip, *(q.reshape(n, -1) for q in questions)], 1))
        if features is not None:
            x = x.index_copy(1, slots, self.connector(features.to(x.dtype)))
        cosine, sine, masks = self._tables_of(turns, x.dtype)
        tapped: dict[int, Tensor] = {}
        for number, block in enumerate(self.blocks, 1):
            x = block(x, turns, (cosine, sine), masks)
            if number in taps:
                tapped[number] = x
        parts = self.norm(x)[:, turns.prefix :].split([c * m for c, m in turns.groups], 1)
        shaped = [
            part.reshape(n, count, length, -1)
            for part, (count, length) in zip(parts, turns.groups, strict=True)
        ]
        return shaped, tapped

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., width] to [..., vocabulary]."""
        return functional.linear(hidden, self.embedding.weight)

    def compile_blocks(self) -> None:
        """Let torch compile every layer; its first step then takes minutes, the others less."""
        for block in (*self.vision.blocks, *self.blocks):
            block.compile()

    def _tables_of(self, turns: Turns, dtype: torch.dtype) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Cosines and sines [1, cells, 1, half a head], and masks of the clip and each group."""
        found = self._tables.get((turns, dtype))
        if found is None:
            size = self.sizes.width // self.sizes.heads
            rates = self.sizes.rope_theta ** (-torch.arange(0, size, 2).float() / size)
            angles = (turns.positions()[:, None].float() * rates)[None, :, None]
            lengths = (turns.prefix, *(length for _, length in turns.groups))
            masks = [torch.full((m, m), MASKED).triu(1).to(dtype) for m in lengths]
            found = angles.cos().to(dtype), angles.sin().to(dtype), masks
            self._tables[turns, dtype] = found
        return found
