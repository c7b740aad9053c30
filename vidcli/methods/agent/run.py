"""One question or goal to one video, by an agent: from the question to the result."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from vidcli.core.agent import AgentResult, Call, Stop, Style, TracedPrompt
from vidcli.core.media import measure_coverage
from vidcli.core.protocols import Progress, TextSession, Tool
from vidcli.core.results import Timings, Usage
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span
from vidcli.methods.agent import confidence, react
from vidcli.methods.agent.confidence import Ended, run_confidence
from vidcli.methods.agent.eyes import Eyes
from vidcli.methods.agent.offer import Senses, list_tools, make_confident, make_react
from vidcli.methods.agent.pace import Pace
from vidcli.methods.agent.planner import Planner
from vidcli.methods.agent.prompts import Asker, wants_steps
from vidcli.methods.agent.react import run_react
from vidcli.methods.agent.segments import FRAMES, TemporalMemory, choose_length
from vidcli.methods.agent.toolbox import Toolbox

ROUNDS = {Style.CONFIDENCE: confidence.ROUNDS, Style.REACT: react.ROUNDS}
START_FRAMES = {Style.CONFIDENCE: confidence.FRAMES, Style.REACT: FRAMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """How an agent works.

    Attributes:
        style: The loop.
        steps: Whether a plan is wanted; None goes by the words of the question.
        rounds: Most rounds; 0 for as many as the loop has by itself.
        seconds: After which nothing new is begun; None for no bound.
        frames: To look at first (confidence), or of each segment (react); 0 for the loop's own.
        segment: Seconds of a remembered segment; None for 2, or more in long videos.
        sampling: How the planner writes, apart from length and grammar.
        looking: How captions and answers of the model that sees are written.
    """

    style: Style = Style.CONFIDENCE
    steps: bool | None = None
    rounds: int = 0
    seconds: float | None = None
    frames: int = 0
    segment: Fraction | None = None
    sampling: Sampling = field(default_factory=Sampling)
    looking: Sampling = field(default_factory=Sampling)

    @property
    def most_rounds(self) -> int:
        """Most rounds."""
        return self.rounds or ROUNDS[self.style]

    @property
    def start_frames(self) -> int:
        """Frames to look at first, or of each segment."""
        return self.frames or START_FRAMES[self.style]


class Agent:
    """Answers one question about one video.

    Args:
        planner: A language model; the one that sees may be it.
        eyes: The model that sees, on the opened video.
        span: The part of the video that counts.
        question: Or goal.
        agency: How.
        senses: What else the video can be asked.
        timings: Seconds are added to it; the eyes' own.
        progress: Told what is done.
        record: Told of every prompt of the planner and its reply; None traces nothing.
    """

    def __init__(
        self,
        planner: TextSession,
        eyes: Eyes,
        span: Span,
        question: str,
        agency: Agency,
        senses: Senses,
        *,
        timings: Timings,
        progress: Progress | None = None,
        record: Callable[[TracedPrompt], None] | None = None,
    ) -> None:
        self._eyes = eyes
        self._span = span
        self._agency = agency
        self._senses = senses
        self._timings = timings
        self._planner = Planner(planner, agency.sampling, timings, progress, record)
        steps = wants_steps(question) if agency.steps is None else agency.steps
        self._asker = Asker(question, span, steps, self._planner.reply_tokens)
        self._pace = Pace(agency.most_rounds, agency.seconds)
        self._toolbox = Toolbox((), eyes.take_looked)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Calls of tools so far."""
        return tuple(self._toolbox.calls)

    def run(self) -> AgentResult:
        """Call tools until there is an answer.

        Raises:
            MediaError: Nothing of the video could be decoded.
            ResourceError: The context is too small.
            KeyboardInterrupt: Ctrl-C.
        """
        before = self._planner.session.native_s
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="vidcli-agent-")))
            toolbox = self._toolbox
            toolbox.tools = self._make_tools(folder / "objects.sqlite3", stack)
            if self._agency.style is Style.REACT:
                ended = run_react(self._planner, self._asker, toolbox, self._pace)
            else:
                ended = run_confidence(
                    self._planner,
                    self._asker,
                    toolbox,
                    self._pace,
                    info=self._eyes.source.info,
                    frames=self._agency.start_frames,
                )
        self._timings.native += self._planner.session.native_s - before
        return self._report(ended, toolbox)

    def _make_tools(self, path: Path, stack: ExitStack) -> list[Tool]:
        eyes, span, senses = self._eyes, self._span, self._senses
        if self._agency.style is Style.CONFIDENCE:
            return make_confident(eyes, span, senses)
        memory = TemporalMemory(eyes, self._pace, self._agency.start_frames)
        length = self._agency.segment or choose_length(span)
        return make_react(memory, span, senses, length=length, path=path, stack=stack)

    def _report(self, ended: Ended, toolbox: Toolbox) -> AgentResult:
        eyes, planner = self._eyes, self._planner
        frames = eyes.seen
        times = [frame.time.seconds for frame, _ in frames]
        prompts = sum(call.prompt_tokens for call in planner.calls)
        written = sum(call.completion_tokens for call in planner.calls)
        return AgentResult(
            video=eyes.video,
            question=self._asker.question,
            style=self._agency.style,
            text=ended.conclusion.text,
            steps=ended.conclusion.steps,
            cited=ended.conclusion.cited,
            citations_dropped=ended.conclusion.dropped,
            confidence=ended.confidence,
            stop=ended.stop,
            rounds=ended.rounds,
            calls=tuple(toolbox.calls),
            planner_calls=tuple(planner.calls),
            frames=tuple(frame for frame, _ in frames),
            frame_tokens=tuple(tokens for _, tokens in frames),
            coverage=measure_coverage(self._span, times),
            tools=list_tools(self._senses),
            model=eyes.session.report,
            planner=planner.session.report,
            usage=Usage(
                eyes.visual_tokens,
                eyes.prompt_tokens + prompts,
                eyes.written_tokens + written,
            ),
            timings=self._timings,
            warnings=tuple(self._list_warnings(ended, toolbox)),
        )

    def _list_warnings(self, ended: Ended, toolbox: Toolbox) -> list[str]:
        notes = [*self._eyes.source.info.warnings, *self._eyes.source.warnings]
        notes += self._eyes.warnings
        if self._senses.transcript is not None:
            notes += self._senses.transcript.notes
        failed = [call for call in toolbox.calls if call.error]
        if failed:
            notes.append(f"{len(failed)} calls failed, first {failed[0].id}: {failed[0].error}")
        cut = sum(call.is_cut for call in self._planner.calls)
        if cut:
            notes.append(f"{cut} replies of the planner were cut; --n-ctx gives more room")
        left = max((call.left_out for call in self._planner.calls), default=0)
        if left:
            notes.append(
                f"{left} observations did not fit the planner's prompt; --n-ctx gives more"
            )
        if ended.conclusion.dropped:
            notes.append(f"{ended.conclusion.dropped} citations name nothing that was found")
        if ended.stop is Stop.TIME:
            notes.append("the time was up before the planner was done; --time-limit gives more")
        if ended.stop is Stop.REPEATS:
            notes.append("the planner repeated itself and was stopped")
        return list(dict.fromkeys(notes))
