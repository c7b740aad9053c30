"""The model that sees: it captions, answers, and says how well pictures fit a description.

Everything an agent looks at passes through here, so that what was looked at is known: which frames
gave words, and how many were only compared. Not here: which instants to look at (`seeing`).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidcli.core.agent import TracedPrompt
from vidcli.core.media import FramePlan, PlannedFrame
from vidcli.core.model import Familiar
from vidcli.core.prompt import SeenFrame, TextPart
from vidcli.core.protocols import FrameSource, Progress, Session, TokenStore
from vidcli.core.results import FinishReason, Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span, Timestamp
from vidcli.methods.agent.toolbox import Looked
from vidcli.methods.arrange import Arranger
from vidcli.methods.ask import Question, ask_check, compose, list_cuts, score_choices
from vidcli.methods.compose import write_intro
from vidcli.methods.familiar import warn_unfamiliar
from vidcli.methods.watch import Watched, fit_plan, watch

CAPTION = "Describe what happens in the video."
CAPTION_FRAME = "Describe what you see."
CHOICE_CELLS = 8  # a word and what may stand before it
OpenStore = Callable[[tuple[int, int]], AbstractContextManager[TokenStore | None]]
"""Visual tokens of the video at one frame size, kept on disk; None where no cache is used."""


@dataclass(frozen=True, slots=True)
class View:
    """Some frames of the video, and what the model made of them.

    Attributes:
        text: Caption or answer, on one line.
        frames: As they were shown.
        feature: Mean of their visual tokens, a unit vector `[n_embd_inp]`.
    """

    text: str
    frames: tuple[SeenFrame, ...]
    feature: NDArray[np.float32]

    @property
    def times(self) -> tuple[Timestamp, ...]:
        """PTS of the frames."""
        return tuple(frame.time for frame in self.frames)


@dataclass(slots=True)
class Eyes:
    """Looks at one video with one model.

    Args:
        session: The model.
        source: The opened video.
        video: Facts about it.
        sampling: How captions and answers are generated.
        open_store: See `OpenStore`.
        timings: Seconds are added to it, phase by phase.
        arranger: What the model was taught to make of frames; None shows them one by one.
        familiar: How the footage that it knows looks to it; None where nothing is said.
        progress: Told while looking.
        record: Told of every prompt and its reply; None traces nothing.

    Attributes:
        visual_tokens: In all prompts so far.
        prompt_tokens: Of text, in all prompts so far.
        written_tokens: In all replies so far.
        warnings: What gave way, and what decoding found wrong.
    """

    session: Session
    source: FrameSource
    video: VideoReport
    sampling: Sampling
    open_store: OpenStore
    timings: Timings
    arranger: Arranger | None = None
    familiar: Familiar | None = None
    progress: Progress | None = None
    record: Callable[[TracedPrompt], None] | None = None
    visual_tokens: int = 0
    prompt_tokens: int = 0
    written_tokens: int = 0
    warnings: dict[str, None] = field(default_factory=dict)
    _seen: dict[Fraction, tuple[SeenFrame, int]] = field(default_factory=dict)  # by PTS
    _new: list[Timestamp] = field(default_factory=list)
    _compared: set[Fraction] = field(default_factory=set)  # PTS
    _scanned: int = 0

    @property
    def seen(self) -> list[tuple[SeenFrame, int]]:
        """Frames of which words came, numbered by time, with the visual tokens of each."""
        ordered = sorted(self._seen.items())
        return [
            (SeenFrame(number, frame.time, frame.wanted, frame.reason), tokens)
            for number, (_, (frame, tokens)) in enumerate(ordered, start=1)
        ]

    def has_seen(self, moment: Timestamp) -> bool:
        """Whether words came of the frame at this PTS."""
        return moment.seconds in self._seen

    def take_looked(self) -> Looked:
        """What was looked at since this was asked last."""
        compared = sum(moment not in self._seen for moment in self._compared)
        looked = Looked(tuple(self._new), self._scanned + compared)
        self._new, self._compared, self._scanned = [], set(), 0
        return looked

    def note_scanned(self, frames: int) -> None:
        """Count frames that somebody else looked at, of which the model that sees knows nothing."""
        self._scanned += frames

    def caption(self, plan: FramePlan, *, name: str = "caption") -> View:
        """What happens in these frames.

        Raises:
            MediaError: None of them could be decoded.
            ResourceError: Not even one fits the context.
        """
        wish = CAPTION_FRAME if len(plan.frames) == 1 else CAPTION
        return self.answer(plan, wish, name=name)

    def answer(self, plan: FramePlan, question: str, *, name: str = "answer") -> View:
        """Answer a question about these frames.

        Raises:
            MediaError: None of them could be decoded.
            ResourceError: Not even one fits the context.
        """
        asked = Question(question, sampling=self.sampling)
        watched = self._watch(plan, asked)
        prompt = compose(self.session, watched, asked, self.video)
        started = time.perf_counter()
        prefix = self.session.prefill(prompt, progress=self.progress)
        filled = time.perf_counter()
        for n, _ in enumerate(self.session.generate(prefix, asked.sampling), start=1):
            if self.progress:
                self.progress(name, n, asked.sampling.max_tokens)
        made = self.session.last_generation
        self.timings.prefill += filled - started
        self.timings.generate += time.perf_counter() - filled
        self.visual_tokens += prompt.n_visual_tokens
        self.prompt_tokens += prefix.n_cells - prompt.n_visual_tokens
        self.written_tokens += made.completion_tokens
        if made.finish is not FinishReason.STOP:
            self.warnings |= dict.fromkeys(list_cuts(made))
        if self.record is not None:
            self.record(TracedPrompt("eyes", name, self.session.trace(prompt), made.text))
        self._note(watched)
        return View(" ".join(made.text.split()), watched.frames, _feature(watched))

    def fit(self, plan: FramePlan, description: str) -> tuple[float, tuple[SeenFrame, ...]]:
        """How likely it is that frames show something, 0 to 1, and which frames they are.

        The frames count as scanned, not as seen: no words come of them.

        Raises:
            MediaError: None of them could be decoded.
            ResourceError: Not even one fits the context.
        """
        asked = ask_check(description, Sampling())
        watched = self._watch(plan, asked)
        prompt = compose(self.session, watched, asked, self.video)
        started = time.perf_counter()
        prefix = self.session.prefill(prompt, progress=self.progress)
        choices = score_choices(self.session, prefix, asked.choices)
        self.timings.prefill += time.perf_counter() - started
        self.visual_tokens += prompt.n_visual_tokens
        self.prompt_tokens += prefix.n_cells - prompt.n_visual_tokens
        self._compared |= {frame.time.seconds for frame in watched.frames}
        yes = next(choice.probability for choice in choices if choice.text == "yes")
        if self.record is not None:
            parts = self.session.trace(prompt)
            self.record(TracedPrompt("eyes", "fit", parts, f"yes {yes:.4f}"))
        return yes, watched.frames

    def _watch(self, plan: FramePlan, asked: Question) -> Watched:
        profile, times = self.session.profile, [frame.time for frame in plan.frames]
        around = write_intro(profile, times, duration=self.video.duration) + profile.outro
        parts = self.session.render_chat(
            [("user", (TextPart(around, special=True), TextPart(asked.instruction)))]
        )
        fit = fit_plan(
            plan,
            self.session,
            display_size=self.source.info.video.display_size,
            question_cells=self.session.count_cells(parts),
            reserve=CHOICE_CELLS if asked.choices else asked.sampling.max_tokens,
        )
        self.warnings |= dict.fromkeys(fit.warnings)
        with self.open_store(fit.size) as store:
            watched = watch(
                self.source,
                self.session,
                fit.plan,
                size=fit.size,
                store=store,
                timings=self.timings,
                progress=self.progress,
            )
        strange = warn_unfamiliar(self.familiar, watched.images)
        self.warnings |= dict.fromkeys((*watched.warnings, *strange))
        return replace(watched, arranger=self.arranger)

    def _note(self, watched: Watched) -> None:
        """Remember which frames gave words."""
        for frame, tokens in zip(watched.frames, watched.frame_tokens, strict=True):
            if not self.has_seen(frame.time):
                self._seen[frame.time.seconds] = frame, tokens
                self._new.append(frame.time)


def at_instants(span: Span, instants: Sequence[Fraction], reason: str) -> FramePlan:
    """A plan of given instants inside a span, rising."""
    return FramePlan(span, tuple(PlannedFrame(moment, reason) for moment in instants), reason)


def _feature(watched: Watched) -> NDArray[np.float32]:
    tokens = [image.tokens.data.astype(np.float32) for image in watched.images]
    mean: NDArray[np.float32] = np.concatenate(tokens).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return mean / length if length else mean
