"""What is to be said about a video: its caption, its timed events, or what was masked of them.

Source: Vid2Seq (arXiv:2302.14115) section 3.2: a generative objective (the video gives the speech
or the events with their times) and a denoising one (the video and speech with 25 % of it masked,
in spans of 5, give what was masked). Here masks cover words and time tokens, and sentinels are
`[1]`. Random parts of videos: `train.crop`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from vidcli.errors import UsageError
from vidcli.methods.time_tokens import TimedText, write_units
from vidcli.train.crop import Timeline
from vidcli.train.data.sample import Sample
from vidcli.train.prompts import Said

EVENTS_QUESTION = "List what happens in this video with its start and end times."
SPEECH_QUESTION = "Write down what is said in this video with its start and end times."
FILL_QUESTION = "Fill in what is missing in what is said in this video:"
MASKED, SPAN = 0.25, 5  # share of the units, and mean length of a masked run
MAX_UNITS = 250  # of a sequence, as Vid2Seq's 256 tokens


class Objective(StrEnum):
    """What pretraining teaches to say, or to tell apart."""

    CAPTION = "caption"
    EVENTS = "events"
    DENOISE = "denoise"
    CONTRAST = "contrast"


@dataclass(frozen=True, slots=True)
class TimedUnits:
    """Units of a timed text, and whether they are speech."""

    units: tuple[str, ...]
    is_speech: bool


def check_objective(samples: Sequence[Sample], objective: Objective) -> None:
    """Refuse data that an objective can do nothing with.

    Raises:
        UsageError: A sample has no captions where these are wanted, or no events where those are.
    """
    for sample in samples:
        is_said = objective in (Objective.CAPTION, Objective.CONTRAST)
        if is_said and not sample.exchanges:
            raise UsageError(
                f"{sample.origin}: timed events are no captions",
                hint="--objective events teaches events, and --objective denoise speech",
            )
        if not is_said and not sample.events:
            raise UsageError(
                f"{sample.origin}: it has no timed events",
                hint="--objective caption is for captions and conversations",
            )


def read_timeline(sample: Sample, duration: Fraction, *, is_masked: bool = False) -> Timeline:
    """A sample's events; a duration in its file goes before that of the video."""
    events = tuple(TimedText(e.start, e.end, e.text) for e in sample.events)
    return Timeline(events, sample.duration or duration, sample.is_speech, is_masked)


def write_sequence(timeline: Timeline) -> TimedUnits:
    """Events as units."""
    units = write_units(timeline.events, timeline.duration)
    return TimedUnits(tuple(units[:MAX_UNITS]), timeline.is_speech)


def say_sequence(sequence: TimedUnits) -> Said:
    """The generative objective: the video alone gives the whole sequence."""
    question = SPEECH_QUESTION if sequence.is_speech else EVENTS_QUESTION
    return Said(question, " ".join(sequence.units))


def fill_sequence(sequence: TimedUnits, rng: random.Random) -> Said:
    """The denoising objective: the video and the masked sequence give what was masked."""
    spans = mask_spans(len(sequence.units), rng)
    left, taken, at = [], [], 0
    for number, (start, stop) in enumerate(spans, start=1):
        left += [*sequence.units[at:start], f"[{number}]"]
        taken += [f"[{number}]", *sequence.units[start:stop]]
        at = stop
    left += sequence.units[at:]
    return Said(f"{FILL_QUESTION}\n{' '.join(left)}", " ".join(taken))


def mask_spans(n: int, rng: random.Random) -> list[tuple[int, int]]:
    """Half-open spans to mask of `n` units: a quarter of them, in runs of five on average.

    Runs are cut at random and never touch each other.

    Source: T5 (arXiv:1910.10683) section 3.3, random spans.
    """
    masked = max(1, round(MASKED * n))
    runs = max(1, min(round(masked / SPAN), n - masked)) if n > masked else 1
    lengths = _cut(masked, runs, rng)
    gaps = _cut(max(n - masked, runs), runs, rng)
    spans, at = [], 0
    for gap, length in zip(gaps, lengths, strict=True):
        at += gap
        spans.append((min(at, n - 1), min(at + length, n)))
        at += length
    return spans


def _cut(total: int, parts: int, rng: random.Random) -> list[int]:
    """`total` as `parts` random numbers of at least 1."""
    edges = [0, *sorted(rng.sample(range(1, total), parts - 1)), total]
    return [b - a for a, b in pairwise(edges)]
