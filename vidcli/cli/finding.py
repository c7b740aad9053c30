"""The task of `find`: windows of a video, each asked about alone, and moments made of them."""

import time
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidcli.cli import asking
from vidcli.cli.build import Bench
from vidcli.cli.following import Follower
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Telling
from vidcli.cli.rehearse import measure, show_rehearsal, write_steps
from vidcli.cli.tasks import Job, Made, StartDecoding, Task
from vidcli.core.moments import Found, PriorRule
from vidcli.core.protocols import Progress
from vidcli.core.results import Timings
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span
from vidcli.errors import VidcliError
from vidcli.output.plain import count

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.methods.moments import Finding
    from vidcli.methods.sliding import WindowGrid
    from vidcli.methods.watch import Fit, Watched


@dataclass(frozen=True, slots=True)
class Layout:
    """Which part of a video is looked at, in windows of which length.

    Attributes:
        span: Of the video.
        window: Seconds.
        step: Seconds from one window to the next.
        frames: Of a window.
    """

    span: Span
    window: Fraction
    step: Fraction
    frames: int


@dataclass(frozen=True, slots=True)
class Laid:
    """A layout for one model: its grid, and the size of its frames."""

    grid: "WindowGrid"
    fit: "Fit"


@dataclass(frozen=True, kw_only=True)
class FindTask(Task):
    """Moments of any number of videos.

    Attributes:
        query: What is looked for.
        window: Seconds of a window; None goes by the length of the video.
        step: Seconds from one window to the next; None is half a window.
        threshold: Probability that a moment must reach.
        prior: What a yes is compared with.
        follower: Follows what the query names through what is found; None leaves that.
    """

    query: str
    window: Fraction | None = None
    step: Fraction | None = None
    threshold: float
    prior: PriorRule = PriorRule.AUTO
    follower: Follower | None = None

    def describe(self) -> dict[str, Any]:
        """Everything that shapes what is found."""
        return {
            "query": self.query,
            "window": None if self.window is None else str(self.window),
            "step": None if self.step is None else str(self.step),
            "threshold": self.threshold,
            "prior": self.prior.value,
            "things": None if self.follower is None else self.follower.describe(),
        }

    @property
    def finding(self) -> "Finding":
        """What is looked for, and when it counts as found."""
        from vidcli.methods.moments import Finding
        from vidcli.methods.saliency import ask_query

        return Finding(self.query, ask_query(self.query), self.threshold, self.prior)

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Layout:
        """Choose the part of the video, and how long its windows are."""
        from vidcli.media.plan import choose_span
        from vidcli.methods.sliding import choose_lengths, count_frames, lay_windows

        looking = self.looking
        span = choose_span(source.info, start=looking.start, end=looking.end)
        window, step = choose_lengths(span, window=self.window, step=self.step)
        shown = min(window, span.length)
        frames = count_frames(shown, frames=looking.frames, fps=looking.fps)
        lay_windows(span, window=window, step=step, frames=frames)  # refuses what is too much
        return Layout(span, window, step, frames)

    def begin(
        self, bench: Bench, source: Footage, plan: Layout, *, start: StartDecoding
    ) -> Laid | None:
        """Fit a window to the context, and begin to decode what no cache holds."""
        from vidcli.methods.watch import find_unencoded

        try:
            laid = self._lay(bench, source, plan)
        except VidcliError:
            return None  # is raised again when its turn comes
        with bench.open_store(asking.describe(source), laid.fit.size) as store:
            todo = find_unencoded(laid.grid.plan, bench.session, store)
        if todo is not None:
            start(todo, size=laid.fit.size)
        return laid

    def answer(self, job: Job) -> Made:
        """Look through one video."""
        from vidcli.methods.moments import Judge, find_moments
        from vidcli.output.moments import moments_document, say_found

        bench, source = job.bench, job.source
        layout: Layout = job.plan or self.plan(source, progress=job.progress)
        laid: Laid = job.fit or self._lay(bench, source, layout)
        video, finding, timings = asking.describe(source), self.finding, Timings()
        timings.load = bench.take_load_seconds()
        steps: list[TracedStep] = []
        judge = Judge(
            bench.session,
            finding.question,
            source.info.path,
            timings,
            bench.arranger,
            steps.append if job.trace is not None else None,
        )
        found = find_moments(
            judge,
            laid.grid,
            finding,
            watch=lambda plan: self._watch(job, plan, laid.fit.size, timings),
            size=laid.fit.size,
            video=video,
            rate=source.info.video.average_rate,
            warnings=(*source.info.warnings, *laid.fit.warnings),
            progress=job.progress,
        )
        found = self._follow(source, found, job.progress)
        job.look_ahead()
        if job.trace is not None:
            write_steps(job.trace, source, bench, steps)
        timings.total = time.perf_counter() - job.started
        notes = dict.fromkeys((*found.warnings, *bench.all_warnings()))
        found = replace(found, warnings=tuple(notes))
        grid = laid.grid
        return Made(
            document=moments_document(
                found,
                window_s=float(grid.unit * grid.size),
                step_s=float(grid.unit * grid.stride),
            ),
            evidence=say_found(found),
            warnings=found.warnings,
            details=(
                *asking.describe_cost(found.model, found.usage, timings),
                _say_rate(judge.asked, timings),
            ),
        )

    def _follow(self, source: Footage, found: Found, progress: Progress) -> Found:
        if self.follower is None:
            return found
        things, warnings = self.follower.follow(source, found.moments, progress=progress)
        return replace(found, things=things, warnings=(*found.warnings, *warnings))

    def _watch(
        self, job: Job, plan: "FramePlan", size: tuple[int, int], timings: Timings
    ) -> "Watched":
        from vidcli.methods.familiar import warn_unfamiliar
        from vidcli.methods.watch import watch

        bench, source = job.bench, job.source
        with bench.open_store(asking.describe(source), size) as store:
            watched = watch(
                source,
                bench.session,
                plan,
                size=size,
                store=store,
                timings=timings,
                progress=job.progress,
            )
        strange = warn_unfamiliar(bench.familiar, watched.images)
        return replace(watched, warnings=(*watched.warnings, *strange))

    def _lay(self, bench: Bench, source: Footage, layout: Layout) -> Laid:
        """Lay the grid, with as many frames in a window as the context holds.

        Raises:
            ResourceError: Not even one frame fits.
        """
        from vidcli.methods.sliding import lay_windows

        question, group = self.finding.question, bench.session.profile.group
        frames, warnings = layout.frames, list[str]()
        while True:
            grid = lay_windows(
                layout.span, window=layout.window, step=layout.step, frames=frames, group=group
            )
            fit = asking.fit_question(
                bench, source, self.looking, question, plan=grid.part(*grid.windows[0])
            )
            warnings += [f"of each window, {text}" for text in fit.warnings]
            if len(fit.plan.frames) == grid.size * group:
                return Laid(grid, replace(fit, warnings=tuple(dict.fromkeys(warnings))))
            frames = len(fit.plan.frames)

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what looking through one video would take, measured on one frame."""
        laid = self._lay(bench, source, self.plan(source, progress=progress))
        grid, one = laid.grid, measure(bench, source, self.finding.question, laid.fit)
        spent = {
            phase: one.seconds[phase] * grid.count / grid.size for phase in ("decode", "encode")
        }
        spent |= {"prefill": one.seconds["prefill"] * len(grid.windows), "generate": 0.0}
        spent["total"] = sum(spent.values())
        show_rehearsal(replace(one, plan=grid.plan, seconds=spent), telling)
        telling.notes.tell(
            f"{count(len(grid.windows), 'window')} of {float(grid.unit * grid.size):.2f} s, each a"
            " prompt of its own; closer looks at the edges of what is found come on top"
        )
        if self.follower is not None:
            telling.notes.tell(self.follower.announce())


def _say_rate(asked: int, timings: Timings) -> str:
    each = (timings.prefill + timings.generate) / max(1, asked)
    return f"{count(asked, 'question')}, {1000 * each:.1f} ms each"
