"""The task of `dense`: timed events, from captions of segments or from time tokens."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidcli import settings
from vidcli.cli import asking
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage, choose_plan
from vidcli.cli.groups import Telling
from vidcli.cli.rehearse import measure, show_rehearsal, write_steps
from vidcli.cli.summarizing import SummaryTask, Survey
from vidcli.cli.tasks import Job, Made
from vidcli.cli.terminal import write_document, write_table
from vidcli.core.dense import By, Dense, Event
from vidcli.core.media import measure_coverage
from vidcli.core.protocols import Progress
from vidcli.core.results import Timings, Usage, VideoReport
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.output.documents import Document

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.core.summary import Segment
    from vidcli.methods.ask import Question
    from vidcli.methods.captioning import Captioner


@dataclass(frozen=True, slots=True)
class Words:
    """What is asked for, and the speech that goes with it.

    Attributes:
        question: With a grammar.
        events: What is said.
        said: Of it, what the prompt holds.
        left_out: Words that it does not.
    """

    question: "Question"
    events: tuple[Event, ...]
    said: str
    left_out: int


@dataclass(frozen=True, kw_only=True)
class DenseTask(SummaryTask):
    """Timed events of any number of videos.

    Attributes:
        by: How they come about.
        is_taught: Whether the model knows time tokens.
    """

    by: By
    is_taught: bool = False

    def describe(self) -> dict[str, Any]:
        """Everything that shapes the events."""
        return {**super().describe(), "by": self.by.value, "is_taught": self.is_taught}

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Survey:
        """Part the video into segments; time tokens need none, and the file is not read through."""
        if self.by is By.SEGMENTS:
            return super().plan(source, progress=progress)
        from vidcli.cli.speech import find_speech
        from vidcli.core.summary import SegmentPlan, SummaryPlan

        heard = find_speech(source, self.subtitles, progress=progress)
        frames = self._choose_frames(source, progress)
        segment = SegmentPlan(frames.span, frames)
        plan = SummaryPlan(frames.span, (segment,), frames.rule, notes=heard.notes)
        return Survey(plan, heard)

    def _choose_frames(self, source: Footage, progress: Progress | None) -> "FramePlan":
        """A frame a second, at most a hundred, where nothing else is asked for."""
        from vidcli.methods.dense import FRAMES

        looking = self.looking
        if looking.select is None and looking.max_gap is None and looking.fps is None:
            looking = replace(looking, fps=settings.AUTO_FPS, frames=looking.frames or FRAMES)
        return choose_plan(source, looking, budget=FRAMES, progress=progress)

    def answer(self, job: Job) -> Made:
        """Tell what happens in one video, and when."""
        from vidcli.output.dense import say_dense

        survey = job.plan or self.plan(job.source, progress=job.progress)
        if self.by is By.SEGMENTS:
            dense = self._by_segments(job, survey)
        else:
            dense = self._by_tokens(job, survey)
        dense.timings.total = time.perf_counter() - job.started
        notes = dict.fromkeys((*dense.warnings, *job.bench.all_warnings()))
        dense = replace(dense, warnings=tuple(notes))
        return Made(
            document=_make_document(dense),
            evidence=say_dense(dense),
            warnings=dense.warnings,
            details=asking.describe_cost(dense.model, dense.usage, dense.timings),
        )

    # By segments

    def _by_segments(self, job: Job, survey: Survey) -> Dense:
        from vidcli.methods.captioned import count_usage, list_notes
        from vidcli.methods.dense import join_alike, list_speech, report_speech

        timings = Timings(load=job.bench.take_load_seconds())
        with self._captioning(job, survey, timings) as captioner:
            segments = self._caption(job, captioner)
            notes = [*job.source.warnings, *captioner.notes, *survey.plan.notes]
            notes += list_notes(captioner, segments)
            usage = count_usage(captioner, segments)
        span, transcript = survey.plan.span, survey.heard.transcript
        left = sum(segment.words_left_out for segment in segments)
        spoken = list_speech(transcript, span)
        return Dense(
            video=asking.describe(job.source),
            span=span,
            by=self.by,
            events=join_alike(segments),
            speech=report_speech(transcript, spoken, left_out=left),
            frames=tuple(frame for segment in segments for frame in segment.frames),
            frame_tokens=tuple(n for segment in segments for n in segment.frame_tokens),
            coverage=measure_coverage(
                span, [frame.time.seconds for segment in segments for frame in segment.frames]
            ),
            method=survey.plan.rule,
            model=job.bench.session.report,
            usage=usage,
            timings=timings,
            warnings=(*notes, *(transcript.notes if transcript is not None else ())),
        )

    def _caption(self, job: Job, captioner: "Captioner") -> "list[Segment]":
        """Every segment, captioned.

        Raises:
            MediaError: None of them could be decoded.
        """
        try:
            segments = list(captioner.caption_all())
        except KeyboardInterrupt:
            self._tell_kept(job, captioner.n_done, len(captioner.plan.segments))
            raise
        if not any(segment.frames for segment in segments):
            assert isinstance(captioner.failure, MediaError), "frames are seen or fail"
            raise captioner.failure
        return segments

    @contextmanager
    def _captioning(self, job: Job, survey: Survey, timings: Timings) -> "Iterator[Captioner]":
        """What captions the segments of a video; its trace is written however the block ends."""
        from contextlib import ExitStack

        from vidcli.methods.captioning import Captioner
        from vidcli.methods.writing import Writer

        bench, source = job.bench, job.source
        options, steps = self._options(bench, survey), list[TracedStep]()
        with ExitStack() as stack:
            pieces = self._pieces(self._open_store(stack), source)
            record = steps.append if job.trace is not None else None
            writer = Writer(
                bench.session, options.sampling, options.identity, pieces, timings, record
            )
            if job.trace is not None:
                stack.callback(write_steps, job.trace, source, bench, steps)
            yield Captioner(
                writer,
                source,
                asking.describe(source),
                survey.plan,
                options.list_said(survey.plan),
                progress=job.progress,
                start=lambda plan, size: job.start(plan, size=size),
            )

    # By time tokens

    def _ask(self, bench: Bench, survey: Survey) -> Words:
        """The question, with as much speech as a quarter of the context holds."""
        from vidcli.core.prompt import TextPart
        from vidcli.methods.ask import Question
        from vidcli.methods.dense import SPEECH_SHARE, ask_events, fit_speech, list_speech
        from vidcli.methods.time_tokens import events_gbnf

        span = survey.plan.span
        spoken = list_speech(survey.heard.transcript, span)
        said, left = fit_speech(
            spoken,
            span,
            most=bench.session.n_ctx // SPEECH_SHARE,
            count=lambda text: bench.session.count_cells([TextPart(text)]),
        )
        sampling = replace(self.sampling, grammar=events_gbnf())
        question = Question(ask_events(said, is_taught=self.is_taught), sampling=sampling)
        return Words(question, spoken, said, left)

    def _by_tokens(self, job: Job, survey: Survey) -> Dense:
        from vidcli.methods.ask import compose
        from vidcli.methods.dense import list_cuts, read_events, report_speech
        from vidcli.methods.sliding import as_clip

        bench, source, span = job.bench, job.source, survey.plan.span
        timings = Timings(load=bench.take_load_seconds())
        words = self._ask(bench, survey)
        plan = survey.plan.segments[0].frames
        fit = asking.fit_question(bench, source, self.looking, words.question, plan=plan)
        seen = asking.look(
            bench,
            source,
            self.looking,
            words.question,
            timings=timings,
            progress=job.progress,
            fit=fit,
        )
        job.look_ahead()
        session, native_before = bench.session, bench.session.native_s
        part = replace(seen.watched, images=tuple(as_clip(seen.watched.images, span.start)))
        video = VideoReport(seen.video.path, seen.video.fingerprint, span.length)
        prompt = compose(session, part, words.question, video)
        started = time.perf_counter()
        prefix = session.prefill(prompt, progress=job.progress)
        timings.prefill += time.perf_counter() - started
        started, most = time.perf_counter(), words.question.sampling.max_tokens
        for number, _ in enumerate(session.generate(prefix, words.question.sampling), start=1):
            job.progress("generate", number, most)
        timings.generate += time.perf_counter() - started
        timings.native += session.native_s - native_before
        made, transcript = session.last_generation, survey.heard.transcript
        if job.trace is not None:
            step = TracedStep("events", session.trace(prompt), made.text, False)
            write_steps(job.trace, source, bench, [step])
        notes = (*seen.warnings, *seen.watched.warnings, *survey.plan.notes)
        return Dense(
            video=seen.video,
            span=span,
            by=self.by,
            events=read_events(made.text, span),
            speech=report_speech(transcript, words.events, left_out=words.left_out),
            frames=seen.watched.frames,
            frame_tokens=seen.watched.frame_tokens,
            coverage=seen.watched.coverage,
            method=plan.rule,
            model=session.report,
            usage=Usage(
                prompt.n_visual_tokens,
                prefix.n_cells - prompt.n_visual_tokens,
                made.completion_tokens,
                seen.watched.cache,
                prefix.cache,
            ),
            timings=timings,
            warnings=(
                *notes,
                *(transcript.notes if transcript is not None else ()),
                *list_cuts(made, words_left_out=words.left_out),
            ),
        )

    # Beforehand

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the events would take, measured on one frame."""
        if self.by is By.TOKENS:
            survey = self.plan(source, progress=progress)
            question = self._ask(bench, survey).question
            plan = survey.plan.segments[0].frames
            fit = asking.fit_question(bench, source, self.looking, question, plan=plan)
            show_rehearsal(measure(bench, source, question, fit), telling)
            return
        from vidcli.output.summaries import summary_plan_document, summary_plan_rows

        cost = self._rehearse(bench, source, progress)
        spent = {**cost.seconds, "reduce": 0.0}
        spent["total"] -= cost.seconds["reduce"]
        cost = replace(cost, seconds=spent, steps=0, step_cells=0, reply_tokens=0)
        if telling.json:
            write_document(summary_plan_document(cost))
        else:
            write_table([row for row in summary_plan_rows(cost) if row[0] != "put together"])
        for warning in cost.warnings:
            telling.notes.warn(warning)


def _make_document(dense: Dense) -> Document:
    from vidcli.methods.dense import write_sequence
    from vidcli.output.dense import dense_document

    spoken = dense.speech.events if dense.speech is not None else ()
    return dense_document(
        dense,
        bins=_bins(dense.events, dense.span),
        sequence=write_sequence(dense.events, dense.span),
        spoken=_bins(spoken, dense.span),
        said=write_sequence(spoken, dense.span),
    )


def _bins(events: Sequence[Event], span: Span) -> list[tuple[int, int]]:
    from vidcli.methods.time_tokens import to_bin

    def bin_of(moment: Fraction) -> int:
        return to_bin(moment - span.start, span.length)

    return [(bin_of(event.span.start), bin_of(event.span.end)) for event in events]
