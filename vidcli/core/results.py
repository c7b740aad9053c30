"""What a command found: answers with their evidence, cost and warnings.

Rendering (text, JSON, subtitles) is `output`'s; nothing here prints.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from vidcli.core.media import Coverage
from vidcli.core.model import ModelReport
from vidcli.core.prompt import SeenFrame
from vidcli.core.route import Route
from vidcli.core.time import Span
from vidcli.core.tool_text import Mixture


class FinishReason(StrEnum):
    """Why generation ended."""

    STOP = "stop"
    LENGTH = "length"
    CONTEXT = "context"
    LOOP = "loop"
    INTERRUPTED = "interrupted"


class CacheUse(StrEnum):
    """Whether work was found done before."""

    HIT = "hit"
    PARTIAL = "partial"
    MISS = "miss"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Delta:
    """A streamed piece of text: whole characters only, never half a code point."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens spent, and which of them were found in a cache."""

    visual_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    visual_cache: CacheUse = CacheUse.OFF
    prefix_cache: CacheUse = CacheUse.OFF


@dataclass(slots=True)
class Timings:
    """Wall seconds by phase of one command.

    Phases that overlap are counted where they are waited for, so that they add up to no more than
    `total`. `native` is the part of encode, prefill and generate that was spent inside llama.cpp.
    """

    load: float = 0.0
    decode: float = 0.0
    encode: float = 0.0
    prefill: float = 0.0
    generate: float = 0.0
    native: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Generation:
    """What the model wrote, and why it stopped.

    Attributes:
        text: As it was given out.
        finish: Why it ended.
        completion_tokens: Tokens drawn, the one that ended the reply not counted.
        notes: What a reader should know.
        log_probability: Natural logarithm of the probability of these tokens under the model
            itself, whatever the temperature and the cut of the sampler; None where it was not
            asked for (`Sampling.scored`).
    """

    text: str
    finish: FinishReason
    completion_tokens: int
    notes: tuple[str, ...] = ()
    log_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a closed question and its probability among the options."""

    text: str
    probability: float
    log_probability: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in the video a claim comes from: frames the model was shown, mapped to times by code.

    Attributes:
        span: From the first cited frame to the last (extended to the next seen frame).
        frames: Cited frames.
        quote: The claim they carry.
    """

    span: Span
    frames: tuple[SeenFrame, ...]
    quote: str = ""


@dataclass(frozen=True, slots=True)
class VideoReport:
    """Facts about the video that a result names."""

    path: str
    fingerprint: str
    duration: Fraction | None


@dataclass(frozen=True, slots=True)
class Approach:
    """How a video was watched, and why so.

    Attributes:
        method: Its name, as `vidcli methods` lists it.
        asked: What was asked for: `auto`, a name, or a name with parameters.
        why: Why `auto` took it; empty where it was named.
        options: Its parameters.
        encoded: Pictures that the vision encoder was given in this run; those of a cache are none.
    """

    method: str = "uniform"
    asked: str = "uniform"
    why: str = ""
    options: tuple[tuple[str, int | str], ...] = ()
    encoded: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question about one video, with everything it rests on.

    Attributes:
        question: As asked.
        text: The answer; for a closed question the likeliest choice.
        finish: Why generation ended.
        frames: Every frame the model was shown, with the visual tokens each took.
        coverage: Frames seen, largest unseen gap.
        evidence: Where the claims come from; without `--cite` one entry naming all frames.
        citations_dropped: Cited ids that do not exist.
        choices: Options with probabilities, for a closed question.
        method: How the video was watched: the method, or the rule that chose single frames.
        warnings: What was trimmed, dropped or approximate.
        approach: The method with its parameters, and why it was taken.
        route: How text was come by that the answer was read from; None where the frames
            themselves were shown.
        mixture: Words of tools and visual tokens that it rests on, by the method `hybrid`.
    """

    question: str
    text: str
    finish: FinishReason
    video: VideoReport
    frames: tuple[SeenFrame, ...]
    frame_tokens: tuple[int, ...]
    coverage: Coverage
    evidence: tuple[Evidence, ...]
    citations_dropped: int
    choices: tuple[Choice, ...]
    method: str
    model: ModelReport
    usage: Usage
    timings: Timings
    warnings: tuple[str, ...] = field(default=())
    approach: Approach = field(default_factory=Approach)
    route: Route | None = None
    mixture: Mixture | None = None
