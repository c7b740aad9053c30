"""The task of `summarize`: how a video is parted, what is kept of it, and what is told."""

import dataclasses
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from vidcli import settings
from vidcli.cli.asking import describe, describe_cost
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage, resolve_selection
from vidcli.cli.groups import Looking, Telling, Writing
from vidcli.cli.options import Selection
from vidcli.cli.rehearse import write_steps
from vidcli.cli.speech import AUTO, NONE, WHISPER, Heard, digest_speech, find_speech
from vidcli.cli.tasks import Job, Made, Task
from vidcli.cli.terminal import write_document, write_table
from vidcli.core.protocols import PieceStore, Progress
from vidcli.core.results import Timings
from vidcli.core.sampling import Sampling
from vidcli.core.time import Span
from vidcli.output.documents import Document
from vidcli.output.plain import count
from vidcli.output.summaries import SummaryRehearsal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidcli.core.media import FramePlan, Shot
    from vidcli.core.summary import Summary, SummaryPlan, TracedStep
    from vidcli.library.segments import SegmentStore
    from vidcli.methods.segmenting import ChooseFrames
    from vidcli.methods.summarize import Summarizing


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a video before the model looks at it."""

    plan: "SummaryPlan"
    heard: Heard


@dataclass(frozen=True, kw_only=True)
class SummaryTask(Task):
    """A summary of any number of videos.

    Attributes:
        sampling: How captions and replies are generated.
        telling: Where to say what is kept when the user stops it.
        longest: Seconds a segment may last; None goes by the length of the video.
        subtitles: `auto`, `none` or a file.
        ignores_chapters: Whether chapters are made anew where the file has its own.
        is_anew: Whether captions of earlier runs are made again.
        keeps: Whether captions are kept at all.
    """

    sampling: Sampling
    telling: Telling
    longest: Fraction | None = None
    subtitles: str = AUTO
    ignores_chapters: bool = False
    is_anew: bool = False
    keeps: bool = True
    streams: bool = False
    only_chapters: ClassVar[bool] = False

    @property
    def speech(self) -> str:
        """Where words are read."""
        return self.subtitles

    def describe(self) -> dict[str, Any]:
        """Everything of the task that shapes a summary."""
        return {
            "sampling": dataclasses.asdict(self.sampling),
            "longest": None if self.longest is None else str(self.longest),
            "subtitles": self.subtitles if self.subtitles in (AUTO, NONE, WHISPER) else "file",
            "ignores_chapters": self.ignores_chapters,
        }

    def digest_beside(self, path: str) -> str:
        """Names the subtitles that may be read; a new or changed file makes another summary."""
        return digest_speech(path, self.subtitles)

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Survey:
        """Part the video into segments, choose their frames, and read what is said."""
        from vidcli.media.plan import choose_span
        from vidcli.methods.segmenting import choose_length, keep_marks, plan_summary

        looking = self.looking
        if looking.select is None and looking.fps is None:
            looking = replace(looking, select=Selection.SHOTS)
        select = resolve_selection(looking)
        info = source.info
        span = choose_span(info, start=looking.start, end=looking.end)
        marks = () if self.ignores_chapters else keep_marks(info.chapters, span)
        shots: list[Shot] = []
        is_watched = not (self.only_chapters and marks)
        if select is Selection.SHOTS and is_watched and not info.video.is_still:
            shots = source.find_shots(progress, span=span)
        plan = plan_summary(
            span,
            shots,
            longest=self.longest or choose_length(span),
            choose_frames=_chooser(source, looking, select, progress),
            rule=select.value,
            marks=marks,
        )
        heard = find_speech(source, self.subtitles, progress=progress)
        return Survey(replace(plan, notes=(*plan.notes, *heard.notes)), heard)

    def answer(self, job: Job) -> Made:
        """Summarize one video, keeping every caption as soon as it is written."""
        from vidcli.methods.summarize import Summarizer
        from vidcli.output.summaries import say_summary

        survey = job.plan or self.plan(job.source, progress=job.progress)
        bench, video = job.bench, describe(job.source)
        steps: list[TracedStep] = []
        with ExitStack() as stack:
            store = self._open_store(stack)
            summarizer = Summarizer(
                bench.session,
                job.source,
                video,
                survey.plan,
                self._options(bench, survey),
                pieces=self._pieces(store, job.source),
                timings=Timings(load=bench.take_load_seconds()),
                progress=job.progress,
                start=lambda plan, size: job.start(plan, size=size),
                record=steps.append if job.trace is not None else None,
            )
            try:
                summary = summarizer.run()
            except KeyboardInterrupt:
                self._tell_kept(job, summarizer.n_captioned, len(survey.plan.segments))
                raise
            finally:
                if job.trace is not None:
                    write_steps(job.trace, job.source, bench, steps)
            notes = (
                *summary.warnings,
                *bench.all_warnings(),
                *bench.doubts,
                *(store.warnings if store else ()),
            )
        summary.timings.total = time.perf_counter() - job.started
        summary = replace(summary, warnings=tuple(dict.fromkeys(notes)))

        return Made(
            document=self.make_document(summary),
            evidence=say_summary(summary),
            warnings=summary.warnings,
            details=describe_cost(summary.model, summary.usage, summary.timings),
        )

    def make_document(self, summary: "Summary") -> Document:
        """What is given out of a summary."""
        from vidcli.output.summaries import summary_document

        return summary_document(summary)

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the summary would take, measured on one frame."""
        from vidcli.output.summaries import summary_plan_document, summary_plan_rows

        rehearsal = self._rehearse(bench, source, progress)
        if telling.json:
            write_document(summary_plan_document(rehearsal))
        else:
            write_table(summary_plan_rows(rehearsal))
        for warning in rehearsal.warnings:
            telling.notes.warn(warning)

    def _rehearse(
        self, bench: Bench, source: Footage, progress: Progress | None
    ) -> SummaryRehearsal:
        from vidcli.methods.captioning import Captioner
        from vidcli.methods.forecast import forecast
        from vidcli.methods.writing import Writer

        survey, video = self.plan(source, progress=progress), describe(source)
        options = self._options(bench, survey)
        with ExitStack() as stack:
            pieces = self._pieces(self._open_store(stack), source)
            writer = Writer(bench.session, options.sampling, options.identity, pieces, Timings())
            captioner = Captioner(
                writer, source, video, survey.plan, options.list_said(survey.plan)
            )
            cost = forecast(captioner)
        warnings = (*source.info.warnings, *source.warnings, *cost.warnings)
        return SummaryRehearsal(
            video=video,
            plan=cost.plan,
            speech=survey.heard.transcript,
            frame_size=cost.size,
            tokens_per_frame=cost.tokens_per_frame,
            visual_tokens=cost.visual_tokens,
            prompt_cells=cost.prompt_cells,
            caption_tokens=captioner.caption_tokens,
            steps=cost.steps,
            step_cells=cost.step_cells,
            reply_tokens=cost.reply_tokens,
            n_ctx=bench.session.n_ctx,
            kept=cost.kept,
            seconds=cost.seconds,
            memory_bytes=bench.memory_bytes,
            model=bench.session.report,
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _options(self, bench: Bench, survey: Survey) -> "Summarizing":
        from vidcli.methods.summarize import Summarizing

        return Summarizing(
            self.sampling, bench.identity, survey.heard.transcript, only_chapters=self.only_chapters
        )

    def _open_store(self, stack: ExitStack) -> "SegmentStore | None":
        from vidcli.library.segments import SegmentStore

        return stack.enter_context(SegmentStore(settings.state_dir())) if self.keeps else None

    def _pieces(self, store: "SegmentStore | None", source: Footage) -> PieceStore | None:
        return None if store is None else store.of(source.fingerprint, anew=self.is_anew)

    def _tell_kept(self, job: Job, done: int, total: int) -> None:
        job.progress.clear()
        if self.keeps and done:
            self.telling.notes.tell(
                f"{done} of {count(total, 'segment')} captioned and kept: the same command goes on "
                "from there"
            )


class ChapterTask(SummaryTask):
    """The chapters of any number of videos, without title and paragraph of the whole."""

    only_chapters: ClassVar[bool] = True

    def make_document(self, summary: "Summary") -> Document:
        """The document `chapters`."""
        from vidcli.output.summaries import chapters_document

        return chapters_document(summary)

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the chapters would take."""
        super().rehearse(bench, source, telling, progress)
        if source.info.chapters and not self.ignores_chapters:
            telling.notes.tell(
                f"{source.info.path} has chapters of its own, which cost nothing; this is what new "
                "ones take, with --ignore-chapters"
            )


def caption_sampling(writing: Writing) -> Sampling:
    """How segments are captioned: in a sentence or two, unless another length was asked for."""
    if writing.max_tokens == settings.MAX_TOKENS:
        writing = replace(writing, max_tokens=settings.SEGMENT_TOKENS)
    return writing.sampling()


def _chooser(
    source: Footage, looking: Looking, select: Selection, progress: Progress | None
) -> "ChooseFrames":
    """How the frames of one segment are chosen."""
    from vidcli.media import plan
    from vidcli.methods.segmenting import FRAMES

    info = source.info
    budget = looking.frames or (FRAMES if looking.max_gap is None else settings.MAX_FRAMES)
    gap = looking.max_gap or Fraction(settings.MAX_GAP_S)
    keyframes = source.find_keyframes(progress) if select is Selection.KEYFRAMES else []

    def choose(span: Span, shots: "Sequence[Shot]") -> "FramePlan":
        if select is Selection.SHOTS:
            return plan.plan_shots(info, span, shots, budget=budget, max_gap=gap)
        if select is Selection.FPS:
            return plan.plan_fps(info, span, fps=looking.fps or settings.AUTO_FPS, budget=budget)
        if select is Selection.KEYFRAMES:
            inside = (moment for moment in keyframes if moment in span)
            return plan.plan_keyframes(span, inside, budget=budget)
        return plan.plan_uniform(info, span, budget=budget)

    return choose
