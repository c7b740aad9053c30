"""What `ask` would show a model, token by token, without running it: for training on the same.

The same template, tokenizer, family profile and frame wrappers as `LlamaSession`, from the same
files. There is no context and nothing is decoded.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from vidcli.core.model import GgufFacts, LoadOptions, ModelFiles
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import Part, Prompt, VisualTokens
from vidcli.engine.entries import Entry, to_runs
from vidcli.engine.owned import Owned
from vidcli.engine.profiles import choose_profile
from vidcli.engine.sizes import choose_frame_size, read_vision_input
from vidcli.engine.template import ChatTemplate
from vidcli.engine.vision import VisionEncoder
from vidcli.engine.weights import Weights


class Scribe(Owned):
    """Writes prompts for a model of this machine.

    Args:
        files: Weights and projector; both are opened, neither is run.
        weights_facts: Header of the weights.
        mmproj_facts: Header of the projector.

    Raises:
        ModelError: The files are broken or do not belong together.
    """

    def __init__(
        self, files: ModelFiles, *, weights_facts: GgufFacts, mmproj_facts: GgufFacts
    ) -> None:
        self.files = files
        self.facts = weights_facts, mmproj_facts
        self.profile: FamilyProfile = choose_profile(mmproj_facts.projector)
        self._options = LoadOptions(gpu_layers=0, mmproj_gpu=False, threads=1)
        self._input = read_vision_input(mmproj_facts, "")
        with ExitStack() as stack:
            self._weights = stack.enter_context(Weights(files.weights, self._options))
            self._vision = stack.enter_context(
                VisionEncoder(
                    files.mmproj,
                    self._weights,
                    self.profile,
                    detail=self._options.detail,
                    threads=1,
                    gpu=False,
                    one_tile_tokens=self._input.tile_tokens if self.profile.overview_last else 0,
                )
            )
            self._template = ChatTemplate(
                self._weights.chat_template,
                bos=self._weights.bos_text,
                eos=self._weights.eos_text,
                has_token=lambda text: self._weights.find_token(text) is not None,
            )
            self._stack = stack.pop_all()

    def frame_size(self, display_size: tuple[int, int]) -> tuple[int, int]:
        """Exact (width, height) frames of a video of this displayed size are decoded at."""
        return choose_frame_size(self._input, self.profile, self._options.detail, display_size)

    def takes(self, size: tuple[int, int]) -> bool:
        """Whether a frame of this (width, height) is encoded as it is, not resized by mtmd."""
        unit = self._input.patch * self._input.merge
        return self.measure(size).n_tokens == (size[0] // unit) * (size[1] // unit)

    def measure(self, size: tuple[int, int]) -> VisualTokens:
        """What one frame (or merged group) of this (width, height) takes; its data is zeros."""
        return self._vision.measure(size)

    def render_chat(
        self, turns: Sequence[tuple[str, Sequence[Part]]], *, open_reply: bool = True
    ) -> tuple[Part, ...]:
        """Write a conversation with the model's own chat template.

        Args:
            turns: (role, parts) with roles `system`, `user`, `assistant`, oldest first.
            open_reply: End where the model is to go on.
        """
        return self._template.render(turns, add_generation_prompt=open_reply)

    def spell(self, prompt: Prompt) -> Iterator[tuple[Part, list[Entry]]]:
        """Parts with the entries they become, as `LlamaSession` would decode them."""
        cut = prompt.n_shared
        yield from to_runs(self._weights, prompt.parts[:cut])
        yield from to_runs(self._weights, prompt.parts[cut:], at_start=not cut)

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a text; control tokens written in it are text."""
        return self._weights.tokenize(text, special=False)

    def is_end(self, token: int) -> bool:
        """Whether a token ends a reply."""
        return self._weights.is_end(token)

    def text_of(self, token: int) -> str:
        """How a token is spelled."""
        said = self._weights.piece(token).decode("utf-8", "replace")
        return said or self._weights.token_text(token)

    @property
    def is_mrope(self) -> bool:
        """Whether a position is (t, y, x) and not one number."""
        return self._weights.is_mrope

    @property
    def n_ctx_train(self) -> int:
        """Context the model was trained with."""
        return self._weights.n_ctx_train

    @property
    def n_vocab(self) -> int:
        """Vocabulary entries."""
        return self._weights.n_vocab
