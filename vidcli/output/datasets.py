"""Documents and lines about data sets that are being made: what came of it, what it would take."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vidcli.core.model import ModelReport
from vidcli.core.time import format_time
from vidcli.output.documents import Document, head, model_entry, seconds
from vidcli.output.plain import count, printable

PLAN_COLUMNS = ("captions", "speech", "screen", "to caption", "questions", "video")
OUTCOMES = ("done", "failed", "copies", "elsewhere")


@dataclass(slots=True)
class NarrationCount:
    """How a run went.

    Attributes:
        videos: By outcome: `done`, `failed`, `copies` of others, `elsewhere` in another shard.
        clips: `new` and `kept` from earlier runs; `labelled` and in `gaps`; `failed`; `empty` of
            any text.
        texts: Kept, by source.
        dropped: Left out, by reason.
        rows: Written by this run.
        told_s: Seconds of video that lie in a clip that was told.
        texted_s: Seconds of video of which a text was kept.
        whole_s: Seconds of video that were to be told.
    """

    videos: Counter[str] = field(default_factory=Counter)
    clips: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    told_s: float = 0.0
    texted_s: float = 0.0
    whole_s: float = 0.0

    @property
    def coverage(self) -> Document | None:
        """Shares of the timeline that are told, and have a text; None where there is none."""
        if not self.whole_s:
            return None
        shares = {"told": self.told_s, "with_text": self.texted_s}
        return {name: round(value / self.whole_s, 6) for name, value in shares.items()}


def narrate_document(
    told: NarrationCount,
    *,
    total: int,
    out: Path | None,
    model: ModelReport | None,
    failures: Sequence[Document],
) -> Document:
    """The document `narrate`: how a run of `data narrate` went.

    Args:
        told: Counts.
        total: Inputs.
        out: Where rows went; None for standard output.
        model: That ran; None where all was done before.
        failures: Documents `error`.
    """
    clips = ("new", "kept", "labelled", "gaps", "failed", "empty")
    return {
        "schema": head("narrate"),
        "out": None if out is None else str(out),
        "rows": told.rows,
        "videos": _videos(told.videos, total),
        "clips": {name: told.clips[name] for name in clips},
        "coverage": told.coverage,
        "texts": {name: told.texts[name] for name in ("human", "narrated", "rephrased")},
        "dropped": dict(sorted(told.dropped.items())),
        "model": None if model is None else model_entry(model),
        "failures": [_without_head(failure) for failure in failures],
    }


def say_narrations(document: Document) -> list[str]:
    """The same in two lines for people."""
    clips, texts, videos = document["clips"], document["texts"], document["videos"]
    lines = [
        f"{count(document['rows'], 'row')} written: {count(videos['done'], 'video')}"
        f"{_say_others(videos)}; {count(clips['new'], 'clip')} told, {clips['kept']} known from "
        f"before, {clips['failed']} failed, {clips['empty']} without any text"
    ]
    shares = document["coverage"]
    if shares is not None:
        lines.append(
            f"{100 * shares['told']:.1f} % of the timeline told, "
            f"{100 * shares['with_text']:.1f} % with a text; "
            f"texts: {texts['human']} of people, {texts['narrated']} narrated, "
            f"{texts['rephrased']} reworded; {_say_dropped(document['dropped'])}"
        )
    return lines


def _videos(videos: Counter[str], total: int) -> Document:
    known = {name: videos[name] for name in OUTCOMES}
    return {**known, "not_reached": total - sum(known.values())}


def _without_head(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "schema"}


def _say_others(videos: Document) -> str:
    words = {"failed": "failed", "copies": "copies", "elsewhere": "of other shards"}
    words["not_reached"] = "not reached"
    return "".join(f", {videos[name]} {said}" for name, said in words.items() if videos[name])


def _say_dropped(dropped: Document) -> str:
    total = sum(dropped.values())
    if not total:
        return "none left out"
    reasons = ", ".join(f"{n} {name}" for name, n in dropped.items())
    return f"{total} left out ({reasons}); --rejects FILE shows them"


@dataclass(slots=True)
class InstructionCount:
    """How a run went.

    Attributes:
        videos: By outcome: `done`, `failed`, `copies` of others, `elsewhere` in another shard.
        known: Videos of which an earlier run had made all.
        captioned: Clips that the model captioned first, in this run.
        sources: Texts that the model was shown, by kind.
        left_out: Texts that did not fit the context.
        kept: Instructions by kind.
        dropped: Instructions left out, by reason.
        rows: Written by this run.
    """

    videos: Counter[str] = field(default_factory=Counter)
    known: int = 0
    captioned: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    rows: int = 0


def instruct_document(
    made: InstructionCount,
    *,
    total: int,
    out: Path | None,
    model: ModelReport | None,
    failures: Sequence[Document],
) -> Document:
    """The document `instruct`: how a run of `data instruct` went.

    Args:
        made: Counts.
        total: Inputs.
        out: Where rows went; None for standard output.
        model: That ran; None where all was done before.
        failures: Documents `error`.
    """
    return {
        "schema": head("instruct"),
        "out": None if out is None else str(out),
        "rows": made.rows,
        "videos": {**_videos(made.videos, total), "known": made.known},
        "captioned_clips": made.captioned,
        "sources": {name: made.sources[name] for name in ("caption", "speech", "screen")},
        "left_out": made.left_out,
        "kept": dict(sorted(made.kept.items())),
        "dropped": dict(sorted(made.dropped.items())),
        "model": None if model is None else model_entry(model),
        "failures": [_without_head(failure) for failure in failures],
    }


def say_instructions(document: Document) -> list[str]:
    """The same in two lines for people."""
    videos, sources = document["videos"], document["sources"]
    kept = ", ".join(f"{n} {name}" for name, n in document["kept"].items()) or "none"
    left_out = document["left_out"]
    return [
        f"{count(document['rows'], 'row')} written: {count(videos['done'], 'video')}"
        f"{_say_others(videos)}, {videos['known']} known from before",
        f"from {sources['caption']} captions, {sources['speech']} lines of speech, "
        f"{sources['screen']} of on-screen text"
        + (f", {left_out} more did not fit the context" if left_out else "")
        + f"; kept: {kept}; {_say_dropped(document['dropped'])}",
    ]


def instruct_plan_document(videos: Sequence[Document]) -> Document:
    """The document `instruct-plan`: what is known of each video."""
    return {"schema": head("instruct-plan"), "videos": list(videos)}


def instruct_plan_rows(videos: Sequence[Document]) -> list[tuple[str, ...]]:
    """The same as rows of a table, under `PLAN_COLUMNS`."""
    return [
        (
            *(str(video["sources"][name]) for name in ("caption", "speech", "screen")),
            str(video["clips_to_caption"]),
            str(video["questions"]),
            printable(video["path"]),
        )
        for video in videos
    ]


@dataclass(slots=True)
class NarrationPlan:
    """What telling videos would take.

    Attributes:
        frames: Looked at in a clip, at most.
        draws: Narrations of a labelled clip and of any other; new wordings of a text.
        videos: What is known of each.
        clip_s: Seconds to look at a clip.
        draw_s: Seconds to draw a text of the largest length.
        model: That would run.
        warnings: What would have to give way.
    """

    frames: int
    draws: tuple[int, int, int]
    videos: list[Document] = field(default_factory=list)
    clip_s: float = 0.0
    draw_s: float = 0.0
    model: ModelReport | None = None
    warnings: tuple[str, ...] = ()

    def add(self, path: str, length: Fraction, share: float, texts: Sequence[int]) -> None:
        """Take note of a video: how many human texts each of its clips has."""
        labelled, gap, wordings = self.draws
        labels = [n for n in texts if n]
        gaps = len(texts) - len(labels)
        self.videos.append(
            {
                "path": path,
                "length_s": seconds(length),
                "labelled": len(labels),
                "gaps": gaps,
                "coverage": round(share, 6),
                "draws": sum(labelled + n * wordings for n in labels) + gaps * (gap + wordings),
            }
        )

    def total(self, name: str) -> int:
        """Sum of a number over all videos."""
        return sum(video[name] for video in self.videos)


def narrate_plan_document(plan: NarrationPlan) -> Document:
    """The document `narrate-plan`."""
    clips, draws = plan.total("labelled") + plan.total("gaps"), plan.total("draws")
    return {
        "schema": head("narrate-plan"),
        "videos": list(plan.videos),
        "clips": clips,
        "frames_per_clip": plan.frames,
        "draws": draws,
        "seconds": {
            "clip": round(plan.clip_s, 6),
            "draw": round(plan.draw_s, 6),
            "total": round(clips * plan.clip_s + draws * plan.draw_s, 6),
        },
        "model": None if plan.model is None else model_entry(plan.model),
        "warnings": list(plan.warnings),
    }


def narrate_plan_rows(plan: NarrationPlan) -> list[tuple[str, str]]:
    """The same for people, as (name, value); of many videos the sums."""
    document = narrate_plan_document(plan)
    spent, model = document["seconds"], plan.model
    names = [printable(video["path"]) for video in plan.videos]
    shown = names if len(names) <= 3 else [*names[:2], f"and {len(names) - 2} more"]
    least = min(video["coverage"] for video in plan.videos)
    return [
        ("videos", ", ".join(shown)),
        (
            "clips",
            f"{document['clips']}: {plan.total('labelled')} labelled, {plan.total('gaps')} in gaps;"
            f" at least {100 * least:.1f} % of each timeline",
        ),
        ("frames", f"at most {plan.frames} a clip"),
        ("texts", f"at most {document['draws']} to draw"),
        (
            "time",
            f"at most about {format_time(Fraction(spent['total']))}: {spent['clip']:.1f} s to look "
            f"at a clip, {spent['draw']:.1f} s to draw a text",
        ),
        *([("model", f"{model.name} {model.quant} on {model.backend}")] if model else []),
    ]
