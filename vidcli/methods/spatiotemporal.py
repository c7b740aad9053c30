"""Video-ChatGPT's tokens: one for each instant, then one for each place.

The pooling itself is `arrange.pool_tokens`, which models can be taught with too; this shows it to
models that were not.

Source: Video-ChatGPT (arXiv:2306.05424) section 3.1. There the mean is taken before a linear
projector; here after the model's own, which is the same where that is linear and is warned of
where it is not.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from vidcli.core.media import FramePlan, VideoInfo
from vidcli.core.prompt import VisualTokens
from vidcli.core.time import Span
from vidcli.media.plan import plan_uniform
from vidcli.methods.arrange import pool_tokens
from vidcli.methods.arranged import Arranged
from vidcli.methods.recipe import Options

NAME = "spatiotemporal"


class SpatioTemporal(Arranged):
    """The recipe of `spatiotemporal`.

    Args:
        frames: Most that are looked at.
        pads: Whether zeros stand for the frames that a short video lacks.
    """

    name = NAME
    pools_before = True

    def __init__(self, frames: int, *, pads: bool) -> None:
        self.frames = frames
        self.pads = pads

    def plan(self, info: VideoInfo, span: Span) -> FramePlan:
        """Frames spread evenly."""
        return plan_uniform(info, span, budget=self.frames)

    def count_tokens(self, frames: int, like: VisualTokens, share: Fraction) -> int:
        """One for each frame, or for each that there might be, and one for each place."""
        return max(frames, self._filled()) + like.n_tokens

    def transform(self, frames: int, like: VisualTokens, share: Fraction) -> Any:
        """Means over places, then means over time."""
        return partial(pool_tokens, t_max=self._filled())

    def _filled(self) -> int:
        return self.frames if self.pads else 0


def make_spatiotemporal(options: Options) -> SpatioTemporal:
    """The recipe with these parameters."""
    return SpatioTemporal(int(options["frames"]), pads=options["pad"] == "zeros")
