"""A loaded model that sees: a language session with the vision encoder that feeds it."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from vidcli.core.model import GgufFacts, LoadOptions, ModelFiles, ModelReport
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import VisualTokens
from vidcli.engine import native
from vidcli.engine.language import LanguageSession
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.engine.profiles import choose_profile
from vidcli.engine.sizes import choose_frame_size, read_vision_input
from vidcli.engine.vision import VisionEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LlamaSession(LanguageSession):
    """A model in this process; implements `core.protocols.Session`.

    Args:
        files: Weights and projector.
        mmproj_facts: Header of the projector as given (not of a derived one).
        weights_facts: Header of the weights.
        options: How to load.
        prefixes: Where snapshots are kept; None for nowhere.

    Raises:
        ModelError: The files are broken or do not belong together.
        ResourceError: No memory for the context.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        weights_facts: GgufFacts,
        mmproj_facts: GgufFacts,
        options: LoadOptions,
        prefixes: PrefixCache | None = None,
    ) -> None:
        self._files = files
        self._mmproj_facts = mmproj_facts
        self._profile = choose_profile(mmproj_facts.projector)
        self._input = read_vision_input(mmproj_facts, files.derivation)
        super().__init__(files.language, facts=weights_facts, options=options, prefixes=prefixes)

    def _open_vision(self, stack: ExitStack) -> int:
        self._vision = stack.enter_context(
            VisionEncoder(
                self._files.derived_mmproj or self._files.mmproj,
                self._weights,
                self._profile,
                detail=self._options.detail,
                threads=max(1, self._options.threads),
                gpu=self._options.mmproj_gpu and native.supports_gpu(),
                one_tile_tokens=self._input.tile_tokens if self._profile.overview_last else 0,
                tile_side=self._input.side if self._profile.square else 0,
            )
        )
        widest = self._vision.measure(self.frame_size((640, 360)))
        return 0 if widest.causal else widest.n_tokens

    # What it is

    @property
    def profile(self) -> FamilyProfile:
        """How this family wants a video written."""
        return self._profile

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how this model is driven."""
        return (*((self._profile.note,) if self._profile.note else ()), *super().notes)

    @property
    def report(self) -> ModelReport:
        """Which model runs, and where."""
        return replace(
            super().report,
            mmproj_sha256=self._files.mmproj_sha256,
            projector=self._mmproj_facts.projector,
            derivation=self._files.derivation,
        )

    @property
    def token_settings(self) -> str:
        """What visual tokens depend on besides the pixels: one line, part of every cache key."""
        return (
            f"{self._files.mmproj_sha256} {self._files.derivation} {self._options.detail} "
            f"{self._profile.name}/{self._profile.version} width={self._weights.n_embd_inp}"
        )

    # Pictures

    def frame_size(self, display_size: tuple[int, int], *, halvings: int = 0) -> tuple[int, int]:
        """Exact (width, height) frames of a video of this displayed size should be decoded at.

        Args:
            display_size: (width, height) of the video as shown.
            halvings: How often to halve the budget of tokens, where the family's size is free;
                any makes one tile of several.
        """
        return choose_frame_size(
            self._input, self._profile, self._options.detail, display_size, halvings=halvings
        )

    def frame_cells(self, size: tuple[int, int]) -> int:
        """Context cells one frame (or merged group) of this size takes, wrappers included."""
        return self._vision.measure(size).n_cells

    def measure(self, size: tuple[int, int]) -> VisualTokens:
        """What one frame (or merged group) of this size takes, without encoding it: zeros."""
        return self._vision.measure(size)

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        """Encode one frame, or one group of `profile.group` frames.

        Args:
            images: uint8 RGB (height, width, 3), all of one size. A group short of frames is
                filled by repeating its last one, as the families themselves do.
        """
        group = list(images) + [images[-1]] * (self._profile.group - len(images))
        return self._vision.encode(group)
