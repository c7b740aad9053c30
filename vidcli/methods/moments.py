"""Moments in which an event is seen: every window asked about alone, edges looked at closely.

Nothing is generated. A window is a short video of its own, its score the log-odds of yes against
no as the reply. The frames around an edge are then asked about one by one, and a few more between
the last no and the first yes. Not here: the arithmetic on scores (`spotting`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from vidcli.core.moments import Found, Judged, Moment, PriorRule
from vidcli.core.prompt import ImagePart, SeenFrame
from vidcli.core.protocols import Progress, Session
from vidcli.core.results import CacheUse, Timings, Usage, VideoReport
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span, Timestamp, format_time
from vidcli.methods.arrange import Arranger, compose_arranged
from vidcli.methods.ask import Question, question_parts, score_choices
from vidcli.methods.compose import compose_prompt
from vidcli.methods.edges import EdgeFinder, Watch
from vidcli.methods.near import merge_looks
from vidcli.methods.sliding import RULE, WindowGrid, as_clip, images_between
from vidcli.methods.spotting import (
    calibrate,
    find_prior,
    find_runs,
    smooth,
    to_log_odds,
    to_probability,
)

GREY = 128  # of a picture that shows nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """What is looked for, and when it counts as found.

    Attributes:
        query: As the user wrote it.
        question: With the choices yes and no, in this order.
        threshold: Probability, the prior taken off, that a moment must reach.
        rule: What a yes is compared with.
    """

    query: str
    question: Question
    threshold: float
    rule: PriorRule = PriorRule.AUTO


@dataclass(slots=True)
class Judge:
    """Asks one question about parts of a video.

    Attributes:
        session: A loaded model.
        question: With the choices yes and no, in this order.
        label: What to call the video.
        timings: Prefill and generate seconds are added to it.
        arranger: Makes fewer tokens of the frames of a part; None shows them one by one.
        record: Told of every prompt and its score; None traces nothing.
        asked: Parts asked about so far.
        visual_tokens: In all prompts so far.
        text_tokens: In all prompts so far.
    """

    session: Session
    question: Question
    label: str
    timings: Timings
    arranger: Arranger | None = None
    record: Callable[[TracedStep], None] | None = None
    asked: int = 0
    visual_tokens: int = 0
    text_tokens: int = 0

    def judge(self, name: str, images: Sequence[ImagePart], span: Span) -> float:
        """Log-odds of yes for a part of a video, shown as a video of its own.

        Args:
            name: Of the step, in a trace.
            images: What it shows.
            span: When.

        Raises:
            ResourceError: It does not fit the context.
        """
        session, native_before = self.session, self.session.native_s
        clip = as_clip(images, span.start)
        shown = compose_arranged(session.profile, clip, self.arranger, duration=span.length)
        turns = [("user", question_parts(self.question))]
        prompt = replace(compose_prompt(session, turns, shown, label=self.label), n_shared=0)
        started = time.perf_counter()
        prefix = session.prefill(prompt)
        self.timings.prefill += time.perf_counter() - started
        started = time.perf_counter()
        yes, no = score_choices(session, prefix, self.question.choices)
        self.timings.generate += time.perf_counter() - started
        self.timings.native += session.native_s - native_before
        self.asked += 1
        self.visual_tokens += prompt.n_visual_tokens
        self.text_tokens += prefix.n_cells - prompt.n_visual_tokens
        odds = yes.log_probability - no.log_probability
        if self.record is not None:
            trace = session.trace(prompt)
            self.record(TracedStep(name, trace, f"yes {to_probability(odds):.6f}", False))
        return odds

    def look(self, images: Sequence[ImagePart], span: Span) -> float:
        """Log-odds of yes for a picture or two."""
        return self.judge(f"look at {format_time(span.start, decimals=2)}", images, span)

    def judge_blind(self, grid: WindowGrid, size: tuple[int, int]) -> float:
        """Log-odds of yes for a window of grey pictures.

        Args:
            grid: Whose first window is imitated.
            size: (width, height) of a frame.
        """
        grey = np.full((size[1], size[0], 3), GREY, np.uint8)
        started = time.perf_counter()
        tokens = self.session.encode([grey] * grid.group)
        self.timings.encode += time.perf_counter() - started
        window = grid.window(0)
        frames = [
            SeenFrame(0, Timestamp(at.numerator, Fraction(1, at.denominator)), at, RULE)
            for at in (frame.time for frame in grid.part(*grid.windows[0]).frames)
        ]
        images = [
            ImagePart(tuple(frames[at : at + grid.group]), tokens)
            for at in range(0, len(frames), grid.group)
        ]
        return self.judge("blind window", images, window)


def find_moments(
    judge: Judge,
    grid: WindowGrid,
    finding: Finding,
    *,
    watch: Watch,
    size: tuple[int, int],
    video: VideoReport,
    rate: Fraction | None,
    warnings: Sequence[str] = (),
    progress: Progress | None = None,
) -> Found:
    """Ask about every window, then look closely at the edges of what was found.

    Args:
        judge: Of a loaded model.
        grid: Where to look.
        finding: What to look for.
        watch: Makes visual tokens of instants.
        size: (width, height) of a frame.
        video: Facts about it.
        rate: Frames a second of the video; None where it is not known.
        warnings: What the result should mention besides what happens here.
        progress: Told after every window.

    Raises:
        MediaError: No frame can be decoded.
        KeyboardInterrupt: Ctrl-C.
    """
    watched = watch(grid.plan)
    odds = []
    for number in range(len(grid.windows)):
        span = grid.window(number)
        shown = images_between(watched.images, span.start, span.end)
        odds.append(judge.judge(f"window {number + 1}", shown, span))
        if progress:
            progress("window", number + 1, len(grid.windows))
    needs_blind = finding.rule in (PriorRule.AUTO, PriorRule.BLIND)
    prior = find_prior(
        finding.rule, odds, blind=judge.judge_blind(grid, size) if needs_blind else None
    )
    values = smooth(calibrate(odds, prior))
    runs = find_runs(values, threshold=to_log_odds(finding.threshold))
    finder = EdgeFinder(grid, watched.images, prior, judge.look, watch, rate)
    edges = finder.refine(runs)
    probabilities = tuple(to_probability(value) for value in values)
    seen = watched if finder.closer is None else merge_looks(watched, finder.closer)
    return Found(
        video=video,
        query=finding.query,
        moments=tuple(
            Moment(
                found.span,
                max(probabilities[first : last + 1]),
                found.is_start_refined,
                found.is_end_refined,
            )
            for (first, last), found in zip(runs, edges, strict=True)
        ),
        windows=tuple(Judged(grid.window(number), value) for number, value in enumerate(odds)),
        probabilities=probabilities,
        looks=finder.judged,
        prior=prior,
        threshold=finding.threshold,
        frames=seen.frames,
        frame_tokens=seen.frame_tokens,
        coverage=seen.coverage,
        method=RULE,
        model=judge.session.report,
        usage=Usage(judge.visual_tokens, judge.text_tokens, 0, seen.cache, CacheUse.OFF),
        timings=judge.timings,
        warnings=tuple(dict.fromkeys((*warnings, *seen.warnings))),
    )
