"""How much each part of a video stands out: by a query, or by how it looks beside the rest.

A query is a yes-or-no question about each window alone. Without one, a window counts by its
novelty: the mean cosine distance of its frames' visual tokens to those of all other windows. What
lasts for most of the video is then near the rest, and what is seen for a while only is far.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import FramePlan
from vidcli.core.prompt import ImagePart, SeenFrame
from vidcli.core.protocols import Progress, Session
from vidcli.core.results import CacheUse, Timings, Usage, VideoReport
from vidcli.core.saliency import Curve, Measure, ScoredWindow
from vidcli.core.sampling import Sampling
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span
from vidcli.methods.ask import Question, ask_check, compose, score_choices
from vidcli.methods.near import renumber
from vidcli.methods.watch import Watched
from vidcli.methods.windows import slide

Features = NDArray[np.float32]

USUAL_WINDOWS = 48  # of a video whose length leaves the choice
SHORTEST = Fraction(1)  # second
FRAMES = 4  # of a window
YES = "yes"
SLACK = 0.8  # of the way up to a peak, from which the windows beside it belong to its highlight
NOVEL = 0.002  # cosine distance below which nothing is new: a still clip's noise stays under it


def choose_window(span: Span) -> Fraction:
    """Length of a window in seconds, where nobody asked for another."""
    return max(span.length / USUAL_WINDOWS, SHORTEST)


def plan_windows(
    span: Span, *, length: Fraction, plan_one: Callable[[Span], FramePlan]
) -> tuple[tuple[Span, ...], FramePlan]:
    """Tile a span with windows, and choose the frames of all of them.

    Args:
        span: What is looked at.
        length: Of a window in seconds; the last one may be up to a quarter longer.
        plan_one: Plans the frames of one window.

    Returns:
        The windows, and one plan of all their frames.
    """
    windows = slide(span, window=length, stride=length)
    windows = [*windows[:-1], Span(windows[-2].end if len(windows) > 1 else span.start, span.end)]
    plans = [plan_one(window) for window in windows]
    frames = tuple(frame for plan in plans for frame in plan.frames)
    notes = dict.fromkeys(note for plan in plans for note in plan.notes)
    return tuple(windows), FramePlan(span, frames, plans[0].rule, plans[0].snap, tuple(notes))


def images_of(watched: Watched, window: Span) -> tuple[ImagePart, ...]:
    """What is seen in a window; in a still stretch that is the picture that came before it."""
    inside = [image for image in watched.images if image.frames[0].wanted in window]
    if inside:
        return tuple(inside)
    before = [image for image in watched.images if image.frames[0].wanted < window.start]
    return tuple(before[-1:] or watched.images[:1])


def score_query(
    session: Session,
    watched: Watched,
    windows: Sequence[Span],
    question: Question,
    *,
    video: VideoReport,
    timings: Timings,
    progress: Progress | None = None,
    record: Callable[[TracedStep], None] | None = None,
) -> tuple[list[ScoredWindow], Usage]:
    """The probability of yes of each window, when it alone is asked about; nothing is generated.

    Args:
        session: A loaded model.
        watched: The frames of all windows as visual tokens.
        windows: In order.
        question: With the choices yes and no.
        video: Facts about the video, for what is shown.
        timings: Prefill and generate seconds are added to it.
        progress: Told after every window.
        record: Told of every prompt and its score; None traces nothing.
    """
    scored, cells, shown, native_before = [], 0, 0, session.native_s
    for number, window in enumerate(windows, start=1):
        part = replace(watched, images=renumber(images_of(watched, window)))
        started = time.perf_counter()
        prompt = compose(session, part, question, video)
        prefix = session.prefill(replace(prompt, n_shared=0))
        timings.prefill += time.perf_counter() - started
        started = time.perf_counter()
        choices = score_choices(session, prefix, question.choices)
        yes = next(choice.probability for choice in choices if choice.text == YES)
        timings.generate += time.perf_counter() - started
        scored.append(ScoredWindow(window, yes))
        shown += prompt.n_visual_tokens
        cells += prefix.n_cells - prompt.n_visual_tokens
        if record:
            record(TracedStep(f"window {number}", session.trace(prompt), f"{YES} {yes:.6f}", False))
        if progress:
            progress("window", number, len(windows))
    timings.native += session.native_s - native_before
    return scored, Usage(shown, cells, 0, watched.cache, CacheUse.OFF)


def ask_query(query: str) -> Question:
    """The yes-or-no question about a window: the query itself where it is one."""
    if query.rstrip().endswith("?"):
        return Question(query.strip(), choices=(YES, "no"), sampling=Sampling())
    return ask_check(query.strip(), Sampling())


def score_novelty(watched: Watched, windows: Sequence[Span]) -> list[ScoredWindow]:
    """How far each window looks from all others, 0 to 2; 0 for a single one."""
    groups = [embed_frames(images_of(watched, window)) for window in windows]
    return [
        ScoredWindow(window, score)
        for window, score in zip(windows, measure_novelty(groups), strict=True)
    ]


def embed_frames(images: Sequence[ImagePart]) -> Features:
    """Visual tokens as unit vectors, one a frame or group; where a thing is counts too.

    Returns:
        float32 `[n, n_tokens · n_embd]`.
    """
    flat = [np.asarray(image.tokens.data, np.float32).reshape(-1) for image in images]
    stacked = np.stack(flat)
    lengths = np.linalg.norm(stacked, axis=1, keepdims=True)
    unit: Features = stacked / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def measure_novelty(groups: Sequence[Features]) -> list[float]:
    """Mean cosine distance of each group of unit vectors to all the other groups, each alike.

    Args:
        groups: float32 `[n_i, d]`.
    """
    if len(groups) < 2:
        return [0.0] * len(groups)
    means = np.stack([group.mean(axis=0, dtype=np.float64) for group in groups])
    near = means @ means.T  # the mean cosine of every pair of frames of two groups
    others = (near.sum(axis=1) - near.diagonal()) / (len(groups) - 1)
    return [float(min(2.0, max(0.0, value))) for value in 1.0 - others]


def pick_highlights(
    scores: Sequence[float], *, count: int, threshold: float
) -> list[tuple[int, int]]:
    """Choose the parts that stand out most: each a peak and the windows beside it that nearly do.

    Args:
        scores: Of windows in order.
        count: Highlights at most.
        threshold: A window below it belongs to none.

    Returns:
        (first, last) window of each, the highest peak first; none meets another.
    """
    floor = min(scores, default=0.0)
    free = {number for number, score in enumerate(scores) if score >= threshold}
    found: list[tuple[int, int]] = []
    while free and len(found) < count:
        peak = max(free, key=lambda number: (scores[number], -number))
        least = floor + SLACK * (scores[peak] - floor)
        first = last = peak
        while first - 1 in free and scores[first - 1] >= least:
            first -= 1
        while last + 1 in free and scores[last + 1] >= least:
            last += 1
        found.append((first, last))
        free -= set(range(first - 1, last + 2))  # neighbours are its slopes
    return found


def novelty_threshold(scores: Sequence[float]) -> float:
    """The novelty from which a window stands out: above the average, and above noise."""
    return max(NOVEL, sum(scores) / len(scores))


def report_curve(
    session: Session,
    watched: Watched,
    windows: Sequence[ScoredWindow],
    *,
    query: str,
    video: VideoReport,
    usage: Usage,
    timings: Timings,
    method: str,
    warnings: Sequence[str],
) -> Curve:
    """Scores with everything they rest on."""
    frames: tuple[SeenFrame, ...] = watched.frames
    return Curve(
        video=video,
        query=query,
        measure=Measure.QUERY if query else Measure.NOVELTY,
        windows=tuple(windows),
        frames=frames,
        frame_tokens=watched.frame_tokens,
        coverage=watched.coverage,
        method=method,
        model=session.report,
        usage=usage,
        timings=timings,
        warnings=tuple(dict.fromkeys((*warnings, *watched.warnings))),
    )
