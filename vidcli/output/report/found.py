"""Pages of parts that were found in a video: the moments of `find`, the parts of `highlights`.

A curve, the parts it led to, the things that were followed through them, and a storyboard that
shows every part instead of every frame.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import TypeVar

from vidcli.core.time import Timestamp
from vidcli.core.tracks import Box
from vidcli.output.documents import Document
from vidcli.output.plain import count
from vidcli.output.report.page import Clue, Curve, Mark, Page, Still, Track, TrackKind
from vidcli.output.sightings import say_way

BOARD = 24  # stills of a storyboard, where there are not more parts than that
OF_A_PART = 4  # of one part, at most
BETWEEN = 8  # of what lies between parts, at least
TICK = Fraction(1, 1_000_000)  # seconds that documents round times to
T = TypeVar("T")


def moments_page(page: Page, document: Document) -> Page:
    """Where an event is seen, the curve that says so, and where in the picture things are."""
    found = document["moments"]
    page = _found_page(
        page,
        document,
        found,
        name="Moment",
        curve="Probability that it is seen",
        title=document["query"],
        answer=f"Seen {count(len(found), 'time')}." if found else "Not found.",
    )
    return page if document["detector"] is None else _add_things(page, found)


def highlights_page(page: Page, document: Document) -> Page:
    """A score over time, and the parts where it is high."""
    found = document["highlights"]
    return _found_page(
        page,
        document,
        found,
        name="Highlight",
        curve=f"Score ({document['measure']})",
        title=document["query"] or f"Highlights of {page.title}",
        answer=f"{count(len(found), 'highlight')}, the best first." if found else "Nothing found.",
    )


def _found_page(
    page: Page,
    document: Document,
    found: Sequence[Document],
    *,
    name: str,
    curve: str,
    title: str,
    answer: str,
) -> Page:
    """Parts of a video that were found by the score of its windows; `name` is what one is."""
    windows = document["windows"]
    in_order = sorted(found, key=lambda entry: entry["start_s"])
    marks = tuple(Mark(e["start_s"], e["end_s"], f"{e['score']:.3f}") for e in in_order)
    line = Curve(
        curve,
        tuple((window["start_s"] + window["end_s"]) / 2 for window in windows),
        tuple(window["score"] for window in windows),
        document["threshold"],
    )
    stills, note = choose_found(page.stills, in_order, name=name.lower())
    return replace(
        page,
        title=title,
        answer=answer,
        curve=line if windows else None,
        tracks=(Track(TrackKind.MOMENTS, f"{name}s", marks), *page.tracks),
        clues=tuple(
            Clue(e["start_s"], e["end_s"], f"{name} {e['number']}", f"{e['score']:.3f}")
            for e in found
        ),
        clues_name=f"{name}s",
        stills=stills,
        stills_note=note,
    )


def choose_found(
    stills: Sequence[Still], found: Sequence[Document], *, name: str
) -> tuple[tuple[Still, ...], str]:
    """The stills of every part that was found, and some of what lies between.

    Args:
        stills: In order of time.
        found: Parts, in order of time; none overlaps another.
        name: Of a part; with its number, it is the note of its stills.

    Returns:
        Stills in order, and how many were left out, in words.
    """
    parts: dict[str, list[Still]] = defaultdict(list)
    for still in stills:
        numbers = [e["number"] for e in found if e["start_s"] <= still.time_s < e["end_s"]]
        note = f"{name} {numbers[0]}" if numbers else ""
        parts[note].append(replace(still, note=note))
    between = parts.pop("", [])
    if len(stills) > BOARD:
        each = max(1, min(OF_A_PART, (BOARD - BETWEEN) // max(1, len(parts))))
        parts = {note: spread(members, each) for note, members in parts.items()}
        room = BOARD - sum(map(len, parts.values()))
        between = spread(between, max(BETWEEN, room))
    kept = sorted([*between, *chain.from_iterable(parts.values())], key=lambda still: still.time_s)
    is_all = len(kept) == len(stills)
    told = f"{len(kept)} of {len(stills)} frames are shown, some of every {name}."
    return tuple(kept), "" if is_all else told


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of some items, evenly chosen, in order; the first and the last if two."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[len(items) // 2]]
    return [items[round(n * (len(items) - 1) / (most - 1))] for n in range(most)]


def _add_things(page: Page, found: Sequence[Document]) -> Page:
    """What was followed: after each moment, in rows of their own, and boxes in a picture of it."""
    clues: list[Clue] = []
    stills, spans = list(page.stills), defaultdict[str, list[tuple[float, float]]](list)
    for clue, moment in zip(page.clues, found, strict=True):
        tracks = moment["things"]["tracks"]
        clues += [clue, *map(_thing, tracks)]
        for track in tracks:
            spans[track["label"]].append((track["start_s"], track["end_s"]))
        stills += _boxed(tracks, note=f"moment {moment['number']}")
    rows = tuple(
        Track(TrackKind.THINGS, label, tuple(Mark(*span) for span in _merge(spans[label])))
        for label in spans
    )
    n_boxed = len(stills) - len(page.stills)
    told = f"{count(n_boxed, 'frame')} with boxes: where the detector saw most of each moment."
    return replace(
        page,
        clues=tuple(clues),
        tracks=(page.tracks[0], *rows, *page.tracks[1:]),
        stills=tuple(sorted(stills, key=lambda still: still.time_s)),
        stills_note=" ".join(filter(None, (page.stills_note, told if n_boxed else ""))),
    )


def _thing(track: Document) -> Clue:
    way = say_way([box["box"] for box in track["boxes"]])
    text = f"{track['label']}: {way}"
    return Clue(track["start_s"], track["end_s"], text, f"{track['score']:.3f}")


def _boxed(tracks: Sequence[Document], *, note: str) -> list[Still]:
    """The frame in which the detector was surest of most, if there is any, with its boxes."""
    seen: dict[float, list[tuple[str, Document]]] = defaultdict(list)
    for track in tracks:
        for box in track["boxes"]:
            seen[box["time_s"]].append((track["label"], box))
    if not seen:
        return []
    time_s = max(seen, key=lambda time: (sum(box["score"] for _, box in seen[time]), -time))
    at = Timestamp(round(time_s / TICK), TICK)
    boxes = tuple((label, Box(at, **box["box"], score=box["score"])) for label, box in seen[time_s])
    text = ", ".join(label for label, _ in seen[time_s])
    return [Still(time_s, note, text=f"boxes around {text}", boxes=boxes)]


def _merge(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in order, those that overlap made one."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
