"""What a run does with every video, and what becomes of the result.

A `Task` is what `folders` asks of a command: what shapes its results, which instants it wants, and
the work on one video. Not here: questions (`questions`) and summaries (`summarizing`).
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading, Looking, Telling
from vidcli.cli.inputs import EVERY_INPUT
from vidcli.cli.speech import AUTO
from vidcli.cli.terminal import write_document, write_table
from vidcli.core.model import LanguageFiles, ModelFiles
from vidcli.core.protocols import Progress
from vidcli.errors import VidcliError
from vidcli.output.chapters import ChapterForm
from vidcli.output.documents import Document

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.output.tool_plans import ToolPlan

ANSWERS_VERSION = 1  # raised when the same settings come to mean another answer
Write = Callable[[str], None]


class ShownProgress(Protocol):
    """Progress that can be taken off the terminal."""

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Report that `done` of `total` units of `phase` are over."""

    def clear(self) -> None:
        """Take it away, as before the first word of an answer."""


class StartDecoding(Protocol):
    """Begins to decode instants that will be asked for soon."""

    def __call__(self, plan: "FramePlan", *, size: tuple[int, int]) -> None:
        """Decode a plan at a size (width, height), a bounded number of frames ahead."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video in the hands of a task.

    Attributes:
        loaded: The model and its caches; None for a task that needs none.
        source: The opened video.
        plan: What `Task.plan` chose; None where that is yet to be done.
        fit: What `Task.begin` made ready; None where it did nothing.
        started: `time.perf_counter()` when work on this video began, loading the model included.
        progress: Taken off the terminal before the first word.
        write: Called with each piece of text.
        look_ahead: Lets the next video be begun; called when this one leaves the decoder idle.
        start: Begins to decode instants of this video.
        trace: Where to write what the model is shown; an interrupt must not cost it.
    """

    loaded: Bench | None
    source: Footage
    plan: Any
    fit: Any
    started: float
    progress: ShownProgress
    write: Write
    look_ahead: Callable[[], None]
    start: StartDecoding
    trace: Path | None

    @property
    def bench(self) -> Bench:
        """The model and its caches."""
        assert self.loaded is not None, "the task said that it needs no model"
        return self.loaded


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of one video.

    Attributes:
        document: The result.
        evidence: What it rests on, in one line.
        warnings: What a reader of the result must know.
        details: Lines for those who asked for more.
    """

    document: Document
    evidence: str
    warnings: tuple[str, ...]
    details: tuple[str, ...]


def as_it_is(document: Document) -> Document:
    """A document, unchanged."""
    return document


def leave_at_that(document: Document) -> None:
    """Do nothing more with a document."""


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """What is done with any number of videos.

    Attributes:
        name: Of the command.
        looking: Which part of a video to look at, and how closely.
        finish: Decides what is decided without the model, such as a threshold; documents of
            earlier runs come through here too.
        rendering: Names what `finish` depends on.
        form: What is given out instead of what `--format` says.
        deliver: Does what else is to be done with a finished document, new or of an earlier run.
        streams: Whether the text can be written while the model makes it.
        has_verdict: Whether the exit code is the answer, whoever reads the words.
        is_negative: Whether a document means exit code 1.
        needs_model: Whether a vision-language model does the work.
        takes_sound: Whether files without pictures are worked on too.
        fails_all: What would fail every other video too.
    """

    name: str
    looking: Looking
    finish: Callable[[Document], Document] = as_it_is
    rendering: str = ""
    form: ChapterForm | None = None
    deliver: Callable[[Document], None] = leave_at_that
    streams: bool = True
    has_verdict: bool = False
    is_negative: Callable[[Document], bool] = lambda _document: False
    needs_model: bool = True
    takes_sound: bool = False
    fails_all: tuple[type[VidcliError], ...] = EVERY_INPUT

    @property
    def speech(self) -> str:
        """Where a report finds what is said, as `find_speech` takes it."""
        return AUTO

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything of this task that shapes a result, ready to be written as JSON."""

    def digest_beside(self, path: str) -> str:
        """Names what beside the video's own content shapes its result, such as subtitles."""
        return ""

    @abstractmethod
    def plan(self, source: Footage, *, progress: Progress | None = None) -> Any:
        """Choose what of a video to look at.

        Raises:
            VidcliError: The options do not fit it.
        """

    def begin(self, bench: Bench, source: Footage, plan: Any, *, start: StartDecoding) -> Any:
        """Get a video ready that comes next, while another one is in work; None does nothing."""
        return None

    @abstractmethod
    def answer(self, job: Job) -> Made:
        """Do the work on one video.

        Raises:
            VidcliError: It cannot be done.
            KeyboardInterrupt: The user stopped it; what was written stands.
        """

    @abstractmethod
    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the work on one video would take."""


@dataclass(frozen=True, kw_only=True)
class ToolTask(Task):
    """What a tool does, without a vision-language model."""

    needs_model: bool = False
    streams: bool = False

    @abstractmethod
    def foresee(self, source: Footage, progress: Progress | None = None) -> "ToolPlan":
        """What the work on one video would take, measured on a part of it.

        Raises:
            VidcliError: It cannot be done.
        """

    def rehearse_alone(self, source: Footage, telling: Telling, progress: ShownProgress) -> None:
        """Say what the work on one video would take; no model is loaded."""
        from vidcli.output.tool_plans import tool_plan_document, tool_plan_rows

        plan = self.foresee(source, progress)
        progress.clear()
        if telling.json:
            write_document(tool_plan_document(plan))
        else:
            write_table(tool_plan_rows(plan))
        for warning in plan.warnings:
            telling.notes.warn(warning)

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the work on one video would take; the model has no part in it."""
        from vidcli.output.progress import NoProgress

        self.rehearse_alone(source, telling, NoProgress())


def describe_settings(
    task: Task,
    loading: Loading,
    files: ModelFiles | None,
    planner: LanguageFiles | None = None,
) -> dict[str, Any]:
    """Everything that shapes a result; threads, devices and caches do not.

    Args:
        task: What is done.
        loading: How the model is loaded.
        files: The model; None for a task that needs none.
        planner: The model that reads and answers, where it is another.
    """
    settings = {
        "version": ANSWERS_VERSION,
        "task": task.name,
        **task.describe(),
        "looking": {
            field.name: _plain(getattr(task.looking, field.name))
            for field in dataclasses.fields(task.looking)
        },
    }
    if files is None:
        return settings
    return settings | {
        "detail": loading.detail.value,
        "n_ctx": loading.n_ctx,
        "weights": files.weights_sha256,
        "mmproj": files.mmproj_sha256,
        **({"adapter": files.adapter_key} if files.adapter_key else {}),
        **({"planner": planner.weights_sha256} if planner is not None else {}),
        **(
            {"arrangement": f"{files.arrangement} {files.sidecar_sha256}"}
            if files.arrangement != "frames"
            else {}
        ),
    }


def _plain(value: Any) -> str | int | float | None:
    return value if isinstance(value, int | float | None) else str(value)
