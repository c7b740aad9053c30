"""What the model itself and other tools find in a video, as sections of words.

`caption`: one caption for every planned instant. `tags`: the words that carry meaning in them.
`dense`: a caption of several frames every five seconds. `speech`, `screen`, `action`: from tools
that the command line hands in; one that is not there says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

from vidcli import settings
from vidcli.core.media import FramePlan
from vidcli.core.prompt import SeenFrame
from vidcli.core.protocols import FrameSource, PieceStore, Progress, Session, TokenStore
from vidcli.core.results import Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.summary import Segment, SegmentPlan, SummaryPlan, TracedStep
from vidcli.core.time import Span
from vidcli.core.tool_text import Mode, ToolLine, ToolSection
from vidcli.media.plan import thin_plan
from vidcli.methods.captioning import Captioner
from vidcli.methods.captions import plan_segments
from vidcli.methods.sift import find_words
from vidcli.methods.work import OpenStore
from vidcli.methods.writing import Writer

DENSE = Fraction(5)  # seconds of one dense caption
DENSE_FRAMES = 4  # pictures, or groups of them, of one dense caption
MOST_TAGS = 40
RULE = "dense"
# Words of English that tell nothing of what is seen; in other languages every word is a tag.
_EMPTY = frozenset(
    find_words(
        "a an and are as at be been being by can could describe each for from has have he her his "
        "i if image in into is it its of off on one or picture frame scene shows showing shown "
        "seen she so some that the their them then there these they this those to two up video was "
        "were what when where which while who will with you your"
    )
)

FindSection = Callable[[Span, Progress | None], ToolSection]
"""Asks a tool about a part of the video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What sections are found with.

    Attributes:
        session: The model that sees.
        source: The opened video.
        plan: Instants to caption.
        video: Facts about the video.
        identity: Names the model and all that its captions depend on.
        sampling: How captions are written.
        open_store: Visual tokens kept of this video at one frame size.
        pieces: What earlier runs wrote; None keeps nothing.
        timings: To be added to.
        tools: What asks each other tool, in order.
        progress: To be told what is done.
        record: Told of every prompt and its reply; None traces nothing.
    """

    session: Session
    source: FrameSource
    plan: FramePlan
    video: VideoReport
    identity: str
    sampling: Sampling
    open_store: OpenStore
    pieces: PieceStore | None
    timings: Timings
    tools: Sequence[FindSection]
    progress: Progress | None = None
    record: Callable[[TracedStep], None] | None = None


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        sections: Of every tool, those that found nothing included.
        frames: That were captioned, in order of time.
        frame_tokens: Visual tokens of each.
        encoded: Pictures that the vision encoder was given.
        warnings: What a reader should know.
    """

    sections: tuple[ToolSection, ...] = ()
    frames: tuple[SeenFrame, ...] = ()
    frame_tokens: tuple[int, ...] = ()
    encoded: int = 0
    warnings: list[str] = field(default_factory=list)


def find_sections(finding: Finding, mode: Mode) -> Found:
    """Ask every tool that a mode tells of.

    Raises:
        MediaError: Nothing of the video could be decoded.
        ResourceError: The context holds not even one frame.
        KeyboardInterrupt: Ctrl-C; captions that were finished are kept.
    """
    found = Found()
    if mode.speaks_first:
        found.sections = _ask_tools(finding)
        for section in found.sections:
            missing = (f"there is no transcript: {section.absent}",) if section.absent else ()
            found.warnings += [*section.notes, *missing]
        return found
    name = finding.session.report.name
    plan = plan_segments(finding.plan, group=finding.session.profile.group)
    segments = _caption(finding, plan, found)
    captions = _as_section("caption", f"{name}, a frame at a time", segments)
    seen = [frame for segment in segments for frame in segment.frames]
    found.frames = tuple(replace(frame, id=number) for number, frame in enumerate(seen, start=1))
    found.frame_tokens = tuple(n for segment in segments for n in segment.frame_tokens)
    sections = (captions, _find_tags(captions), _find_dense(finding, found, name))
    found.sections = (*sections, *_ask_tools(finding))
    found.warnings += [note for section in found.sections for note in section.notes]
    return found


def _ask_tools(finding: Finding) -> tuple[ToolSection, ...]:
    return tuple(find(finding.plan.span, finding.progress) for find in finding.tools)


def make_captioner(
    finding: Finding, plan: SummaryPlan, store: TokenStore | None = None
) -> Captioner:
    """What captions the parts of a plan."""
    sampling = replace(finding.sampling, max_tokens=settings.SEGMENT_TOKENS, grammar="")
    writer = Writer(
        finding.session,
        sampling,
        finding.identity,
        finding.pieces,
        finding.timings,
        finding.record,
    )
    return Captioner(
        writer,
        finding.source,
        finding.video,
        plan,
        [""] * len(plan.segments),
        progress=finding.progress,
        store=store,
    )


def _caption(finding: Finding, plan: SummaryPlan, found: Found) -> list[Segment]:
    size = finding.session.frame_size(finding.source.info.video.display_size)
    with finding.open_store(size) as store:
        captioner = make_captioner(finding, plan, store)
        segments = list(captioner.caption_all())
    if not any(segment.frames for segment in segments):
        assert captioner.failure is not None, "frames are seen or fail"
        raise captioner.failure
    lost = sum(not segment.frames for segment in segments)
    if lost:
        found.warnings.append(f"{lost} of {len(segments)} parts could not be decoded")
    found.encoded += captioner.n_encoded
    found.warnings += [*captioner.notes, *captioner.gave_way]
    return segments


def _as_section(name: str, tool: str, segments: Sequence[Segment]) -> ToolSection:
    lines = tuple(ToolLine(s.caption, s.span) for s in segments if s.caption)
    return ToolSection(name, tool, lines, "" if lines else "the model wrote nothing")


def _find_tags(captions: ToolSection) -> ToolSection:
    """The words that carry meaning, those of most captions first, with how many captions each."""
    counts = Counter(
        word
        for line in captions.lines
        for word in dict.fromkeys(find_words(line.text.casefold()))
        if word not in _EMPTY and not re.fullmatch(r"\d+", word)
    )
    told = ", ".join(f"{word} {count}" for word, count in counts.most_common(MOST_TAGS))
    if not told:
        return ToolSection("tags", absent="the captions hold no words that could be tags")
    return ToolSection("tags", "words of the captions, and in how many", (ToolLine(told),))


def _find_dense(finding: Finding, found: Found, name: str) -> ToolSection:
    plan = plan_dense(finding.plan, group=finding.session.profile.group)
    if plan is None:
        return ToolSection(
            RULE, absent="the frames lie too far apart for captions of several; see caption"
        )
    segments = _caption(finding, plan, found)
    most = max(len(segment.frames.frames) for segment in plan.segments)
    return _as_section(RULE, f"{name}, up to {most} frames at a time", segments)


def plan_dense(plan: FramePlan, *, group: int = 1) -> SummaryPlan | None:
    """Parts of five seconds, with those of the planned instants that lie in each.

    Args:
        plan: The instants.
        group: Instants that the model's family merges into one picture.

    Returns:
        None where a part would hold less than two pictures: captions of one are there already.
    """
    span, count = plan.span, max(1, round(plan.span.length / DENSE))
    edges = [span.start + span.length * number / count for number in range(count + 1)]
    segments = []
    for start, end in pairwise(edges):
        inside = tuple(frame for frame in plan.frames if start <= frame.time < end)
        if len(inside) < 2 * group:
            return None
        part = replace(plan, span=Span(start, end), frames=inside, notes=())
        thinned = replace(thin_plan(part, DENSE_FRAMES * group), notes=())
        segments.append(SegmentPlan(part.span, thinned))
    return SummaryPlan(span, tuple(segments), RULE)
