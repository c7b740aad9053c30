"""Scores of timed events against those that people wrote: SODA_c, and what is found in time.

SODA_c pairs events in order so that overlap in time times likeness in words is most. Its likeness
here is `meteor_exact`: METEOR's formula on equal words only, without stems and WordNet, so that
its figures are not those of papers. Not here: CIDEr and BLEU.

Source: SODA (ECCV 2020) section 3; METEOR (Lavie and Denkowski 2009) sections 2 and 3.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidcli.errors import UsageError

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5  # METEOR's weights of precision, and of scattered words
LIMITS = (0.3, 0.5, 0.7, 0.9)  # overlaps at which events count as found
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Timed:
    """A sentence and its time, in seconds."""

    start: float
    end: float
    text: str


Likeness = Callable[[str, str], float]
Truth = Mapping[str, Sequence[Timed]]


@dataclass(frozen=True, slots=True)
class DenseScore:
    """How well events fit what people wrote, over all videos.

    Attributes:
        videos: Compared.
        soda_c: Mean of their F scores, 0 to 1.
        precision: Share of events that a written one overlaps, by limit.
        recall: Share of written events that one overlaps, by limit.
    """

    videos: int
    soda_c: float
    precision: Mapping[float, float]
    recall: Mapping[float, float]


def overlap(one: Timed, other: Timed) -> float:
    """Intersection over union in time, 0 to 1."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    whole = max(one.end, other.end) - min(one.start, other.start)
    return max(0.0, shared) / whole if whole > 0 else 0.0


def meteor_exact(given: str, wanted: str) -> float:
    """METEOR on equal words only, 0 to 1.

    Words are aligned from left to right, each going on where the last one was where it can.
    """
    mine, theirs = (_WORD.findall(text.casefold()) for text in (given, wanted))
    free: dict[str, list[int]] = {}
    for place, word in enumerate(theirs):
        free.setdefault(word, []).append(place)
    matches, chunks, last = 0, 0, -2
    for word in mine:
        places = free.get(word)
        if not places:
            last = -2
            continue
        place = last + 1 if last + 1 in places else places[0]
        places.remove(place)
        matches += 1
        chunks += place != last + 1
        last = place
    if not matches:
        return 0.0
    precision, recall = matches / len(mine), matches / len(theirs)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    penalty: float = GAMMA * (chunks / matches) ** BETA
    return mean * (1 - penalty)


def soda_c(
    given: Sequence[Timed], wanted: Sequence[Timed], *, likeness: Likeness = meteor_exact
) -> float:
    """F score of the best pairing of events in order, 0 to 1.

    Args:
        given: By a model.
        wanted: By people.
        likeness: Of two sentences, 0 to 1.
    """
    if not given or not wanted:
        return float(not given and not wanted)
    given, wanted = (sorted(events, key=lambda e: (e.start, e.end)) for events in (given, wanted))
    best = [0.0] * (len(wanted) + 1)  # of the events so far
    for mine in given:
        row = [0.0]
        for at, theirs in enumerate(wanted):
            shared = overlap(mine, theirs)
            pair = best[at] + (shared * likeness(mine.text, theirs.text) if shared else 0.0)
            row.append(max(best[at + 1], row[at], pair))
        best = row
    precision, recall = best[-1] / len(given), best[-1] / len(wanted)
    return 2 * precision * recall / (precision + recall) if best[-1] else 0.0


def find_share(events: Sequence[Timed], others: Sequence[Timed], *, limit: float) -> float:
    """Share of events that one of the others overlaps at least so much; 0 of none."""
    if not events:
        return 0.0
    return sum(any(overlap(e, o) >= limit for o in others) for e in events) / len(events)


def score_dense(given: Truth, wanted: Truth, *, likeness: Likeness = meteor_exact) -> DenseScore:
    """Scores over all videos that both name; means over videos.

    Raises:
        UsageError: Both name no video.
    """
    names = [name for name in given if name in wanted]
    if not names:
        raise UsageError("the truth names none of these videos", hint="it names them by file name")

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    return DenseScore(
        len(names),
        mean([soda_c(given[name], wanted[name], likeness=likeness) for name in names]),
        {
            limit: mean([find_share(given[n], wanted[n], limit=limit) for n in names])
            for limit in LIMITS
        },
        {
            limit: mean([find_share(wanted[n], given[n], limit=limit) for n in names])
            for limit in LIMITS
        },
    )


def read_truth(path: Path) -> dict[str, list[Timed]]:
    """Events by video, in the form of ActivityNet Captions or that of results.

    Raises:
        UsageError: It is neither, or cannot be read; the message names the video.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    entries = document.get("results", document) if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise UsageError(f"{path} is no list of events by video")
    return {name: _read_video(entry, f"{path}: {name}") for name, entry in entries.items()}


def _read_video(entry: Any, origin: str) -> list[Timed]:
    try:
        if isinstance(entry, list):
            rows = [(event["timestamp"], event["sentence"]) for event in entry]
        else:
            rows = list(zip(entry["timestamps"], entry["sentences"], strict=True))
        return [Timed(float(start), float(end), str(text)) for (start, end), text in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{origin}: not events",
            hint='write {"timestamps": [[0, 5]], "sentences": ["…"]} or a list of '
            '{"sentence": "…", "timestamp": [0, 5]}',
        ) from error
