"""The task of `highlights`: windows of a video, looked at and scored."""

import time
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidcli.cli import asking
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Telling
from vidcli.cli.rehearse import measure, show_rehearsal, write_steps
from vidcli.cli.tasks import Job, Made, StartDecoding, Task
from vidcli.core.protocols import Progress
from vidcli.core.results import CacheUse, Timings, Usage
from vidcli.core.saliency import Curve
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span
from vidcli.errors import VidcliError
from vidcli.output.plain import count

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan, PlannedFrame
    from vidcli.methods.ask import Question
    from vidcli.methods.watch import Fit

ALONE = "there is one window only, and nothing to compare it with; --window makes shorter ones"


@dataclass(frozen=True, slots=True)
class Windows:
    """What of a video is looked at.

    Attributes:
        spans: Of the windows, in order.
        plan: The frames of all of them.
        largest: Those of the window that has most.
    """

    spans: tuple[Span, ...]
    plan: "FramePlan"
    largest: "FramePlan"


@dataclass(frozen=True, kw_only=True)
class HighlightTask(Task):
    """Highlights of any number of videos.

    Attributes:
        query: What is looked for; empty for whatever is new.
        length: Of a window in seconds; None goes by the length of the video.
    """

    query: str = ""
    length: Fraction | None = None

    def describe(self) -> dict[str, Any]:
        """Everything that shapes the scores."""
        length = None if self.length is None else str(self.length)
        return {"query": self.query, "length": length}

    @property
    def question(self) -> "Question":
        """What is asked of every window; without a query nothing is."""
        from vidcli.methods.saliency import ask_query

        return ask_query(self.query or "Something happens.")

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Windows:
        """Tile the span with windows and choose their frames."""
        return self._tile(source, group=1)

    def _regroup(self, bench: Bench, source: Footage, windows: Windows) -> Windows:
        """Windows of whole groups of frames, where the model's family merges neighbours."""
        group = bench.session.profile.group
        is_whole = len(windows.largest.frames) % group == 0
        return windows if is_whole else self._tile(source, group=group)

    def _tile(self, source: Footage, *, group: int) -> Windows:
        from vidcli.media.plan import choose_span, plan_fps, plan_uniform
        from vidcli.methods.saliency import FRAMES, choose_window, plan_windows

        looking, info = self.looking, source.info
        span = choose_span(info, start=looking.start, end=looking.end)
        budget = -(-(looking.frames or FRAMES) // group) * group

        def plan_one(window: Span) -> "FramePlan":
            if looking.fps is not None:
                return plan_fps(info, window, fps=looking.fps, budget=budget)
            return plan_uniform(info, window, budget=budget)

        spans, plan = plan_windows(
            span, length=self.length or choose_window(span), plan_one=plan_one
        )
        largest = max((plan_one(window) for window in spans), key=lambda part: len(part.frames))
        return Windows(spans, plan, largest)

    def begin(
        self, bench: Bench, source: Footage, plan: Windows, *, start: StartDecoding
    ) -> "Fit | None":
        """Fit a window to the context, and begin to decode what no cache holds."""
        from vidcli.methods.watch import find_unencoded

        plan = self._regroup(bench, source, plan)
        try:
            fit = self._fit(bench, source, plan)
        except VidcliError:
            return None  # is raised again when its turn comes
        with bench.open_store(asking.describe(source), fit.size) as store:
            todo = find_unencoded(plan.plan, bench.session, store)
        if todo is not None:
            start(todo, size=fit.size)
        return fit

    def answer(self, job: Job) -> Made:
        """Look at every window of one video, and score it."""
        from vidcli.output.highlights import curve_document, say_curve

        curve = self._score(job)
        return Made(
            document=curve_document(curve),
            evidence=say_curve(curve),
            warnings=curve.warnings,
            details=asking.describe_cost(curve.model, curve.usage, curve.timings),
        )

    def _fit(self, bench: Bench, source: Footage, windows: Windows) -> "Fit":
        return asking.fit_question(bench, source, self.looking, self.question, plan=windows.largest)

    def _score(self, job: Job) -> Curve:
        from vidcli.methods.saliency import report_curve, score_novelty, score_query

        bench, source = job.bench, job.source
        windows = self._regroup(bench, source, job.plan or self.plan(source))
        fit = job.fit or self._fit(bench, source, windows)
        timings = Timings(load=bench.take_load_seconds())
        seen = asking.look(
            bench,
            source,
            self.looking,
            self.question,
            timings=timings,
            progress=job.progress,
            fit=replace(fit, plan=_thin(windows, len(fit.plan.frames))),
        )
        job.look_ahead()
        steps: list[TracedStep] = []
        if self.query:
            scored, usage = score_query(
                bench.session,
                seen.watched,
                windows.spans,
                self.question,
                video=seen.video,
                timings=timings,
                progress=job.progress,
                record=steps.append if job.trace is not None else None,
            )
        else:
            scored = score_novelty(seen.watched, windows.spans)
            usage = Usage(visual_cache=seen.watched.cache, prefix_cache=CacheUse.OFF)
        if job.trace is not None:
            write_steps(job.trace, source, bench, steps)
        curve = report_curve(
            bench.session,
            seen.watched,
            scored,
            query=self.query,
            video=seen.video,
            usage=usage,
            timings=timings,
            method=windows.plan.rule,
            warnings=(
                *windows.plan.notes,
                *seen.warnings,
                *bench.all_warnings(),
                *((ALONE,) if not self.query and len(windows.spans) == 1 else ()),
            ),
        )
        timings.total = time.perf_counter() - job.started
        return curve

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the scores would take, measured on one frame."""
        windows = self._regroup(bench, source, self.plan(source))
        fit = self._fit(bench, source, windows)
        one, n = measure(bench, source, self.question, fit), len(windows.spans)
        spent = {phase: value * n for phase, value in one.seconds.items()}
        if not self.query:
            spent = {**spent, "prefill": 0.0, "total": spent["decode"] + spent["encode"]}
        plan = _thin(windows, len(fit.plan.frames))
        show_rehearsal(replace(one, plan=plan, seconds=spent), telling)
        telling.notes.tell(
            f"{count(n, 'window')}, each a prompt of its own"
            if self.query
            else f"{count(n, 'window')}, compared with one another: the model is asked nothing"
        )


def _thin(windows: Windows, most: int) -> "FramePlan":
    """The frames of all windows, at most so many of each."""
    from vidcli.media.plan import thin_plan

    if most >= len(windows.largest.frames):
        return windows.plan
    frames: list[PlannedFrame] = []
    for span in windows.spans:
        inside = tuple(frame for frame in windows.plan.frames if frame.time in span)
        part = replace(windows.plan, span=span, frames=inside)
        frames += thin_plan(part, most).frames
    return replace(windows.plan, frames=tuple(frames))
