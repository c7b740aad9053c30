"""From a JSON document to its page; what all documents have in common is read by `base_page`."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vidcli.core.time import format_time
from vidcli.output.documents import Document
from vidcli.output.forms import say_result
from vidcli.output.plain import count, printable
from vidcli.output.report.found import highlights_page, moments_page
from vidcli.output.report.page import (
    Call,
    Clue,
    Fact,
    Mark,
    Option,
    Page,
    Still,
    Track,
    TrackKind,
)
from vidcli.output.summaries import say_speech

SHORTEST_S = 0.001  # a single picture lasts no time; its timeline has to


def page_of(document: Document, *, command: str) -> Page:
    """The page of a document, without pictures and without what only the video itself can tell.

    Args:
        document: About one video; of a kind that has no adapter, what all kinds share is shown.
        command: That made it.
    """
    page = base_page(document, command=command)
    adapt = ADAPTERS.get(document["schema"]["name"])
    return page if adapt is None else adapt(page, document)


def base_page(document: Document, *, command: str) -> Page:
    """What documents about a video have in common: frames, coverage, model, cost, warnings."""
    video, coverage = document["video"], document.get("coverage")
    start = coverage["start_s"] if coverage else 0.0
    end = coverage["end_s"] if coverage else video["duration"] or 0.0
    name = printable(os.path.basename(video["path"]))
    stills = tuple(
        Still(frame["time_s"], frame.get("reason", ""))
        for frame in sorted(_frames(document), key=lambda frame: frame["time_s"])
    )
    seen = tuple(Mark(still.time_s, still.time_s, still.note) for still in stills)
    read = tuple(
        Mark(part["start_s"], part["end_s"], part["text"])
        for part in document.get("route", {}).get("captions", ())
    )
    captions = Track(TrackKind.EVENTS, "Captions", read, "which the answer was read from")
    frames = Track(TrackKind.FRAMES, "Frames seen", seen)
    return Page(
        command=command,
        video=name,
        start_s=start,
        end_s=max(end, start + SHORTEST_S),
        title=name,
        answer="",
        stills=stills,
        tracks=tuple(track for track in (captions, frames) if track.marks),
        warnings=tuple(document.get("warnings", ())),
        facts=tuple(_facts(document)),
    )


def _frames(document: Document) -> list[Document]:
    frames = document.get("frames")
    if frames is not None:
        return list(frames)
    return [frame for part in document.get("segments", ()) for frame in part.get("frames", ())]


def _facts(document: Document) -> list[Fact]:
    video, facts = document["video"], []
    if video["duration"] is not None:
        facts.append(Fact("Duration", format_time(video["duration"], decimals=1)))
    if "coverage" in document:
        facts.append(Fact("Seen", say_coverage(document["coverage"])))
    if document.get("model"):
        model = document["model"]
        facts.append(Fact("Model", f"{model['name']} {model['quant']} on {model['backend']}"))
        facts.append(Fact("Weights", f"sha256 {model['sha256']['weights']}"))
        if model["sha256"]["mmproj"]:
            facts.append(Fact("Projector", f"sha256 {model['sha256']['mmproj']}"))
    if document.get("method"):
        facts.append(Fact("Method", _say_method(document)))
    if "usage" in document:
        used = document["usage"]
        tokens = f"{used['visual_tokens']} visual, {used['prompt_tokens']} in prompts, "
        facts.append(Fact("Tokens", f"{tokens}{used['completion_tokens']} written"))
    if "timings_s" in document:
        facts.append(Fact("Time", f"{document['timings_s']['total']:.1f} s"))
    return [*facts, Fact("Fingerprint", video["fingerprint"])]


def _say_method(document: Document) -> str:
    method = document["method"]
    return method if isinstance(method, str) else json.dumps(method, ensure_ascii=False)


def say_coverage(coverage: Document) -> str:
    """How much was seen, in one line."""
    start, end = (format_time(coverage[name], decimals=1) for name in ("start_s", "end_s"))
    gap = coverage["largest_gap"]["length_s"]
    frames = count(coverage["frames"], "frame")
    return f"{frames} from {start} to {end}, largest unseen gap {gap:.1f} s"


def answer_page(page: Page, document: Document) -> Page:
    """The answer to a question, with the frames its claims rest on."""
    text = say_result(document)
    clues = tuple(
        Clue(
            entry["start_s"],
            entry["end_s"],
            entry["quote"] or f"The answer rests on {_say_frames(len(entry['frames']))}.",
            _say_ids(entry["frames"]) if entry["quote"] else "",
        )
        for entry in document["evidence"]
    )
    options = tuple(Option(c["text"], c["probability"]) for c in document["choices"])
    warnings = page.warnings
    if document["citations_dropped"]:
        dropped = count(document["citations_dropped"], "citation")
        warnings = (*warnings, f"{dropped} of frames that do not exist: left out")
    return replace(
        page,
        title=document["question"],
        answer=_indented(text) or text,
        is_code=_indented(text) is not None,
        clues=clues,
        options=options,
        warnings=warnings,
    )


def _say_frames(n: int) -> str:
    return f"all {n} frames together" if n > 1 else "one frame"


def _say_ids(ids: list[int]) -> str:
    return f"frame{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))}"


def _indented(text: str) -> str | None:
    """An object or a list, as JSON that a person can read; None for prose."""
    if text[:1] not in ("{", "["):
        return None
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    return json.dumps(found, indent=2, ensure_ascii=False)


def caption_page(page: Page, document: Document) -> Page:
    """A description; its title is the name of the video."""
    return replace(page, answer=say_result(document))


def check_page(page: Page, document: Document) -> Page:
    """Whether a statement holds."""
    probability = document["probability"]
    return replace(
        page,
        title=document["statement"],
        answer="Yes" if document["holds"] else "No",
        options=(Option("yes", probability), Option("no", 1 - probability)),
        facts=(Fact("Threshold", f"{document['threshold']:g}"), *page.facts),
    )


def agent_page(page: Page, document: Document) -> Page:
    """What an agent answers, the steps of its plan, and the calls that all this rests on."""
    steps = tuple(Mark(step["start_s"], step["end_s"], step["text"]) for step in document["steps"])
    planner = document["planner"]
    sure = document["confidence"]
    page = answer_page(page, {**document, "choices": []})
    if steps:  # they are the evidence, and the answer is a list of them
        page = replace(
            page,
            answer=f"{count(len(steps), 'step')}.",
            tracks=(Track(TrackKind.MOMENTS, "Steps", steps), *page.tracks),
            clues_name="Steps",
        )
    return replace(
        page,
        clues=tuple(
            Clue(entry["start_s"], entry["end_s"], entry["quote"], ", ".join(entry["calls"]))
            for entry in document["evidence"]
        ),
        calls=tuple(_call(call) for call in document["calls"]),
        facts=(
            Fact("Planner", f"{planner['name']} {planner['quant']}"),
            Fact("Rounds", f"{document['rounds']}, stopped: {document['stopped']}"),
            *([] if sure is None else [Fact("Confidence", f"{sure} of 3, by its own judgement")]),
            *page.facts,
        ),
    )


def _call(call: Document) -> Call:
    told = [f"{found['number']}. {found['text']}" for found in call["observations"]]
    told += [f"failed: {call['error']}"] if call["error"] else []
    told += [f"the same as {call['repeats']}: not made again"] if call["repeats"] else []
    return Call(
        id=call["id"],
        tool=call["tool"],
        arguments=json.dumps(call["arguments"], ensure_ascii=False),
        observation="\n".join(told) or "nothing was found",
        seconds=call["wall_s"],
        times_s=tuple(call["frames_new"]),
    )


def dense_page(page: Page, document: Document) -> Page:
    """Timed events, and what is said where that was asked for."""
    events = tuple(Mark(e["start_s"], e["end_s"], e["text"]) for e in document["events"])
    said = (document["speech"] or {}).get("events", ())
    speech = tuple(Mark(line["start_s"], line["end_s"], line["text"]) for line in said)
    tracks = (
        Track(TrackKind.EVENTS, "Events", events, "written by the model"),
        Track(TrackKind.SPEECH, "Speech", speech),
    )
    return replace(
        page,
        title=f"What happens in {page.title}",
        answer=f"{count(len(events), 'event')}.",
        stills=tuple(replace(still, text=_text_at(events, still.time_s)) for still in page.stills),
        tracks=(*(track for track in tracks if track.marks), *page.tracks),
    )


def _text_at(marks: tuple[Mark, ...], time_s: float) -> str:
    """What is told of an instant, by all that it lies in."""
    return " ".join(mark.text for mark in marks if mark.start_s <= time_s < mark.end_s)


def classification_page(page: Page, document: Document) -> Page:
    """Labels, the likeliest first."""
    labels = document["labels"]
    options = tuple(Option(entry["label"], entry["probability"]) for entry in labels)
    best = labels[0]["label"] if labels else ""
    return replace(page, title=document["question"], answer=best, options=options)


def chapters_page(page: Page, document: Document) -> Page:
    """Chapters, and the captions they were made of, where they were."""
    return replace(page, tracks=_told_tracks(page, document), stills=_told_stills(page, document))


def _told_tracks(page: Page, document: Document) -> tuple[Track, ...]:
    chapters = tuple(Mark(c["start_s"], c["end_s"], c["title"]) for c in document["chapters"])
    captions = tuple(
        Mark(part["start_s"], part["end_s"], part["caption"]) for part in document["segments"]
    )
    origin = "of the file" if document["chapters_from"] == "file" else "made by the model"
    return (
        Track(TrackKind.CHAPTERS, "Chapters", chapters, origin),
        Track(TrackKind.EVENTS, "Captions", captions, "written by the model" if captions else ""),
        *page.tracks,
    )


def _told_stills(page: Page, document: Document) -> tuple[Still, ...]:
    """The stills, each with the caption of its segment."""
    captioned = {
        frame["time_s"]: part["caption"]
        for part in document["segments"]
        for frame in part["frames"]
    }
    return tuple(replace(still, text=captioned.get(still.time_s, "")) for still in page.stills)


def summary_page(page: Page, document: Document) -> Page:
    """A title, a paragraph, chapters, and the captions they were put together from."""
    facts = page.facts
    if document["speech"]:
        facts = (*facts, Fact("Speech", say_speech(document["speech"]).removeprefix("speech: ")))
    return replace(
        page,
        title=document["title"] or page.title,
        answer=document["summary"],
        stills=_told_stills(page, document),
        tracks=_told_tracks(page, document),
        facts=facts,
    )


Adapter = Callable[[Page, Document], Page]
ADAPTERS: dict[str, Adapter] = {
    "agent": agent_page,
    "answer": answer_page,
    "caption": caption_page,
    "chapters": chapters_page,
    "check": check_page,
    "classification": classification_page,
    "dense": dense_page,
    "highlights": highlights_page,
    "moments": moments_page,
    "summary": summary_page,
}
"""Adapters by the name of their document."""
