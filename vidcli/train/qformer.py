"""Video-LLaMA's Video Q-Former in torch, to be trained; `methods.qformer` runs it in numpy."""

import torch
from torch import Tensor, nn

from vidcli.methods.arrange import QUERIES
from vidcli.methods.qformer import EPSILON, frame_positions

POSITIONS = 32  # frames with a position of their own
LAYERS = 2


class VideoQFormer(nn.Module):
    """Frames' tokens to query tokens.

    Args:
        width: Of a visual token.
        heads: Of the attention; `width` is a multiple.
        seed: Of the weights.
    """

    def __init__(self, width: int, *, heads: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.heads = heads
        self.positions = nn.Parameter(torch.randn(POSITIONS, width) * 0.02)
        self.queries = nn.Parameter(torch.randn(QUERIES, width) * 0.02)
        self.memory_norm = nn.LayerNorm(width, eps=EPSILON)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(LAYERS))
        self.out_norm = nn.LayerNorm(width, eps=EPSILON)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """[frames, places, width] to [queries, width]."""
        frames, _, width = tokens.shape
        at = torch.from_numpy(frame_positions(frames, POSITIONS)).to(tokens.device)
        memory = self.memory_norm((tokens + self.positions[at][:, None]).reshape(-1, width))
        state = self.queries
        for layer in self.layers:
            state = layer(state, memory)
        return self.out(self.out_norm(state))


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        for name in ("self", "cross", "inner"):
            setattr(self, f"{name}_norm", nn.LayerNorm(width, eps=EPSILON))
        for name in ("self", "cross"):
            for letter in "qkvo":
                setattr(self, f"{name}_{letter}", nn.Linear(width, width))
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, state: Tensor, memory: Tensor) -> Tensor:
        normed = self.self_norm(state)
        state = state + self._attend(normed, normed, "self")
        state = state + self._attend(self.cross_norm(state), memory, "cross")
        inner = nn.functional.gelu(self.up(self.inner_norm(state)), approximate="tanh")
        return state + self.down(inner)

    def _attend(self, query: Tensor, memory: Tensor, name: str) -> Tensor:
        def split(x: Tensor) -> Tensor:
            return x.view(len(x), self.heads, -1).transpose(0, 1)

        q = split(getattr(self, f"{name}_q")(query))
        k = split(getattr(self, f"{name}_k")(memory))
        v = split(getattr(self, f"{name}_v")(memory))
        mixed = nn.functional.scaled_dot_product_attention(q[None], k[None], v[None])[0]
        return getattr(self, f"{name}_o")(mixed.transpose(0, 1).reshape(len(query), -1))


def choose_heads(width: int) -> int:
    """Heads of about 64 numbers that divide the width."""
    heads = max(1, width // 64)
    while width % heads:
        heads -= 1
    return heads
