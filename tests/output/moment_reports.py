"""Results of `find` and `dense`, with everything a document can say of them."""

from fractions import Fraction

from tests.output.results import make_answer
from vidcli.core.dense import By, Dense, Event, SpeechEvents
from vidcli.core.moments import Followed, Found, Judged, Moment, Prior, PriorRule, Things
from vidcli.core.speech import SpeechKind
from vidcli.core.time import Span, Timestamp
from vidcli.core.tracks import Box, Track


def span(start: int, end: int) -> Span:
    return Span(Fraction(start), Fraction(end))


def make_found() -> Found:
    """Three windows, two of them found, and a look."""
    answer = make_answer()
    return Found(
        video=answer.video,
        query="a cat\x1b[31m",
        moments=(Moment(span(0, 1), 0.75, is_end_refined=True), Moment(span(2, 3), 0.9)),
        windows=(Judged(span(0, 1), 1.1), Judged(span(1, 2), -2.0), Judged(span(2, 3), 2.2)),
        probabilities=(0.75, 0.1, 0.9),
        looks=(Judged(span(1, 2), -2.5),),
        prior=Prior(PriorRule.AUTO, -1.0, 1.1, 0.0),
        threshold=0.6,
        frames=answer.frames,
        frame_tokens=answer.frame_tokens,
        coverage=answer.coverage,
        method="windows",
        model=answer.model,
        usage=answer.usage,
        timings=answer.timings,
        warnings=("x",),
    )


def make_things(*moments: list[Track]) -> Things:
    """Cats that were followed through each of so many moments."""
    followed = tuple(Followed(tuple(tracks), 5, 0) for tracks in moments)
    return Things("yolox.onnx", ("cat",), 0.5, followed)


def make_track(*boxes: tuple[float, float, float]) -> Track:
    """A cat: when, how far from the left, and how surely; a quarter of the frame wide and high."""
    ticks = Fraction(1, 1000)
    found = tuple(
        Box(Timestamp(round(time * 1000), ticks), x, 0.5, 0.25, 0.25, score)
        for time, x, score in boxes
    )
    return Track("cat", sum(box.score for box in found) / len(found), found)


def make_dense() -> Dense:
    """An event, and a line of speech."""
    answer = make_answer()
    return Dense(
        video=answer.video,
        span=span(0, 2),
        by=By.TOKENS,
        events=(Event(span(0, 1), "A cat sits."),),
        speech=SpeechEvents(SpeechKind.STREAM, "#2", None, (Event(span(1, 2), "Hi."),), 1, 0),
        frames=answer.frames,
        frame_tokens=answer.frame_tokens,
        coverage=answer.coverage,
        method="fps",
        model=answer.model,
        usage=answer.usage,
        timings=answer.timings,
        warnings=("x",),
    )
