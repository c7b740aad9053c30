"""The seams: what a method needs of a decoder, an engine and a cache, and nothing more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from vidcli.core.agent import Told
from vidcli.core.detections import Detection
from vidcli.core.media import Frame, FramePlan, VideoInfo
from vidcli.core.model import ModelReport
from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import ImagePart, Part, Prompt, TracedPart, VisualTokens
from vidcli.core.results import CacheUse, Delta, Generation
from vidcli.core.sampling import Sampling
from vidcli.core.screen import Reading, TextPlace
from vidcli.core.speech import HeardBlock, Listening, SpeechKind
from vidcli.core.time import Span, Timestamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress = Callable[[str, int, int], None]
"""Called with a phase (`decode`, `encode`, `prefill`, `generate`), units done, units in all."""


class FrameSource(Protocol):
    """One opened video."""

    @property
    def info(self) -> VideoInfo:
        """What probing found."""

    def frames(self, plan: FramePlan, *, size: tuple[int, int] | None) -> Iterator[Frame]:
        """Decode the planned instants, in order.

        Args:
            plan: Instants to decode.
            size: Exact (width, height) to scale to; None keeps the displayed size.

        Yields:
            At most one frame for each instant, each with the PTS it really has. An instant past
            the end of a damaged file yields none.

        Raises:
            MediaError: Nothing could be decoded, or the decoder crashed, hung or ballooned.
        """

    @property
    def warnings(self) -> tuple[str, ...]:
        """What decoding found wrong so far, one sentence each."""


class SoundSource(Protocol):
    """The sound of one video."""

    def read(self, span: Span) -> "NDArray[np.float32]":
        """A stretch of it: (n,), one channel of 16 000 samples a second between -1 and 1."""


class Transcriber(Protocol):
    """Writes down what is said."""

    @property
    def kind(self) -> SpeechKind:
        """What it is."""

    @property
    def name(self) -> str:
        """Which model it is."""

    @property
    def identity(self) -> str:
        """Names everything of it that shapes what it writes."""

    def hear(
        self, samples: "NDArray[np.float32]", listening: Listening, *, is_last: bool
    ) -> HeardBlock:
        """Write down a block of sound, in which nothing before or after it is known.

        Args:
            samples: (n,), one channel of 16 000 samples a second between -1 and 1.
            listening: How to hear.
            is_last: Nothing follows the block; else what its end cuts off is left to the next one.

        Raises:
            EngineError: The model failed.
        """


class TextReader(Protocol):
    """Finds and reads text in pictures."""

    @property
    def name(self) -> str:
        """Which program and weights it is."""

    def find(self, image: "NDArray[np.uint8]") -> tuple[TextPlace, ...]:
        """Where text stands in a picture, a place for each line, in reading order.

        Args:
            image: uint8 RGB (height, width, 3).
        """

    def read(self, image: "NDArray[np.uint8]", places: Sequence[TextPlace]) -> tuple[Reading, ...]:
        """What the lines at these places of the picture say; an empty text where nothing does."""


class TokenStore(Protocol):
    """Visual tokens of one video under one set of settings, kept on disk."""

    def get(
        self, wanted: tuple[Fraction, ...]
    ) -> tuple[tuple[Timestamp, ...], VisualTokens] | None:
        """Tokens encoded earlier for these planned instants (one, or a merged group)."""

    def put(
        self, wanted: tuple[Fraction, ...], times: tuple[Timestamp, ...], tokens: VisualTokens
    ) -> None:
        """Keep tokens; a full or read-only disk is reported once and otherwise ignored."""

    def remember(self, warnings: Sequence[str]) -> None:
        """Keep what decoding found wrong, for the runs that find all they need here."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What decoding found wrong, in this run and earlier ones."""


class PieceStore(Protocol):
    """What was written of parts of one video, kept on disk under a name of all it depends on."""

    def get(self, key: str) -> dict[str, Any] | None:
        """A piece of an earlier run; None where there is none."""

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a piece, ready to be written as JSON; on disk when this returns."""


class Prefix(Protocol):
    """A prompt held in the KV cache, ready to be answered; its session owns it."""

    @property
    def n_cells(self) -> int:
        """Context cells taken."""

    @property
    def n_reused(self) -> int:
        """Cells that were there before: from an earlier turn or a snapshot."""

    @property
    def cache(self) -> CacheUse:
        """HIT where the shared part came from a snapshot on disk or was still in memory."""


class TextSession(Protocol):
    """A loaded language model, its context, and what the context holds."""

    @property
    def n_ctx(self) -> int:
        """Context cells in all."""

    @property
    def report(self) -> ModelReport:
        """Which model runs, and where."""

    @property
    def native_s(self) -> float:
        """Wall seconds spent inside the native library so far."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how this model is driven."""

    def count_cells(self, parts: Sequence[Part]) -> int:
        """Context cells these parts take, exactly."""

    def render_chat(self, turns: Sequence[tuple[str, Sequence[Part]]]) -> tuple[Part, ...]:
        """Write a conversation with the model's own chat template, ready for the next reply.

        Args:
            turns: (role, parts) with roles `system`, `user`, `assistant`, oldest first.
        """

    def trace(self, prompt: Prompt) -> tuple[TracedPart, ...]:
        """What the model is shown, in order: token ids, frames, cells and positions."""

    def forget(self) -> None:
        """Empty the context, so that what comes next depends on nothing that came before."""

    def prefill(self, prompt: Prompt, *, progress: Progress | None = None) -> Prefix:
        """Bring the context to hold exactly this prompt, reusing what it already holds.

        Raises:
            ResourceError: The prompt does not fit the context.
            EngineError: llama.cpp refused it, or the logits are not finite.
        """

    def generate(self, prefix: Prefix, sampling: Sampling) -> Iterator[Delta]:
        """Answer the prompt, streaming whole characters; see `last_generation` for why it ended."""

    @property
    def last_generation(self) -> Generation:
        """What the latest `generate` wrote, complete once its iterator is exhausted or closed."""

    def score(self, prefix: Prefix, options: Sequence[str]) -> tuple[float, ...]:
        """Mean log-probability a token of each option as the reply to the prompt."""

    def close(self) -> None:
        """Free the model; idempotent."""


class HearingSession(TextSession, Protocol):
    """A loaded model that hears."""

    def encode_sound(self, samples: "NDArray[np.float32]") -> VisualTokens:
        """Encode a piece of sound: (n,), 16 000 a second, between -1 and 1; 30 s at most."""


class Encoder(Protocol):
    """What makes visual tokens of frames."""

    @property
    def profile(self) -> FamilyProfile:
        """How frames are grouped, and how a video is written."""

    @property
    def native_s(self) -> float:
        """Wall seconds spent inside the native library so far."""

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        """Encode one frame, or one group of `profile.group` frames."""


class Session(TextSession, Protocol):
    """A loaded model that sees; an `Encoder`."""

    @property
    def profile(self) -> FamilyProfile:
        """How this family wants a video written."""

    def frame_size(self, display_size: tuple[int, int], *, halvings: int = 0) -> tuple[int, int]:
        """Exact (width, height) frames of a video of this displayed size should be decoded at.

        `halvings` halves the budget of tokens so many times where the family's size is free; any
        makes one tile of several.
        """

    def frame_cells(self, size: tuple[int, int]) -> int:
        """Context cells one frame (or merged group) of this size takes, wrappers included."""

    def measure(self, size: tuple[int, int]) -> VisualTokens:
        """What one frame (or merged group) of this size takes, without encoding it: zeros."""

    def encode(self, images: "Sequence[NDArray[np.uint8]]") -> VisualTokens:
        """Encode one frame, or one group of `profile.group` frames.

        Args:
            images: uint8 RGB (height, width, 3), all of one size.
        """


class Embedder(Protocol):
    """Puts videos and texts into one space: what an index of many videos keeps, and is asked by."""

    def embed_text(self, text: str) -> "NDArray[np.float32]":
        """A text as a unit vector [dim].

        Raises:
            ValueError: It is empty.
        """

    def embed_video(self, images: Sequence[ImagePart]) -> "NDArray[np.float32]":
        """The frames of a part of a video, in order, as a unit vector [dim]; at least one."""


class Detector(Protocol):
    """Finds things in frames, of a closed vocabulary."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it can name."""

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Things in one frame, the surest first."""


class ClipClassifier(Protocol):
    """Says what happens in a short run of frames, of a closed vocabulary."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it can name."""

    @property
    def length(self) -> int:
        """Frames it looks at together."""

    @property
    def size(self) -> int:
        """Pixels a side of the square that it looks at."""

    def classify(self, images: "Sequence[NDArray[np.uint8]]") -> tuple[float, ...]:
        """How likely each label is, 0 to 1.

        Args:
            images: `length` of them, uint8 RGB (height, width, 3), in order.
        """


class Tool(Protocol):
    """Something an agent's planner can call; what it finds is words with times."""

    @property
    def name(self) -> str:
        """What it is called by."""

    @property
    def purpose(self) -> str:
        """What it does, in one sentence for the planner."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """JSON Schema of each argument; all are required, and there are no others."""

    def __call__(self, arguments: Mapping[str, Any]) -> Sequence[Told]:
        """Do the work.

        Args:
            arguments: Checked against `parameters`; that they make sense together is not checked.

        Raises:
            VidcliError: It cannot be done; the planner is told why.
        """
