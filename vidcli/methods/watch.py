"""From planned instants to visual tokens: through the cache, inside the context.

Only what no earlier run encoded is decoded and encoded; decoding runs ahead in its own process
while the encoder works. Memory holds one frame's pixels at a time and every frame's tokens.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from vidcli.core.media import Coverage, Frame, FramePlan, PlannedFrame, measure_coverage
from vidcli.core.prompt import ImagePart, SeenFrame, TextPart, VisualTokens
from vidcli.core.protocols import Encoder, FrameSource, Progress, Session, TokenStore
from vidcli.core.results import Approach, CacheUse, Timings
from vidcli.core.time import Timestamp
from vidcli.errors import MediaError, ResourceError
from vidcli.media.plan import thin_plan
from vidcli.methods.arrange import Arranger
from vidcli.methods.compose import write_label

if TYPE_CHECKING:
    from vidcli.methods.recipe import Recipe

MAX_HALVINGS = 2  # a frame of a quarter of the tokens still shows who does what


@dataclass(frozen=True, slots=True)
class Fit:
    """How much of a plan the context holds.

    Attributes:
        plan: The instants that fit.
        size: (width, height) to decode frames at.
        group_cells: Context cells one frame or group takes, label and wrappers included.
        n_groups: Frames, or groups where the family merges neighbours.
        free_cells: Cells left after the video, the question and the reserve.
        warnings: What had to give way.
        shown_tokens: Visual tokens in all, where the method does not show frames as they are;
            else 0.
        like: What one frame takes, as zeros, where that was measured.
        share: How much of the wanted frames fit, 0 to 1.
        recipe: Of the method that the video is watched by; None shows frames one by one.
        approach: That method, and why it was taken.
    """

    plan: FramePlan
    size: tuple[int, int]
    group_cells: int
    n_groups: int
    free_cells: int
    warnings: tuple[str, ...] = ()
    shown_tokens: int = 0
    like: VisualTokens | None = None
    share: Fraction = Fraction(1)
    recipe: "Recipe | None" = None
    approach: Approach = field(default_factory=Approach)


@dataclass(frozen=True, slots=True)
class Watched:
    """A video as the model sees it.

    Attributes:
        images: Visual tokens of each frame or group, in time order.
        coverage: Distinct frames seen, and the longest unseen stretch.
        cache: Whether the tokens were encoded before.
        warnings: From the decoder, of this run or of the one that filled the cache, and about
            frames that could not be had.
        arranger: Makes fewer tokens of all frames together; None shows them one by one.
        encoded: Pictures that the vision encoder was given; those of the cache are none.
    """

    images: tuple[ImagePart, ...]
    coverage: Coverage
    cache: CacheUse
    warnings: tuple[str, ...]
    arranger: Arranger | None = None
    encoded: int = 0

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Frames shown, in order."""
        return tuple(frame for image in self.images for frame in image.frames)

    @property
    def shown(self) -> tuple[ImagePart, ...]:
        """What the prompt holds: the frames, or what the arranger makes of them."""
        return self.images if self.arranger is None else self.arranger(self.images)

    @property
    def frame_tokens(self) -> tuple[int, ...]:
        """Visual tokens of each frame; those of a merged group are shared among its frames."""
        return tuple(
            n for image in self.shown for n in _share(image.tokens.n_tokens, len(image.frames))
        )


def _share(total: int, parts: int) -> list[int]:
    """Split a count into near-equal whole parts that add up to it."""
    return [total // parts + (i < total % parts) for i in range(parts)]


def fit_plan(
    plan: FramePlan,
    session: Session,
    *,
    display_size: tuple[int, int],
    question_cells: int,
    reserve: int,
) -> Fit:
    """Find how much of a plan fits the context, in cells and not in positions.

    What does not fit lowers the detail of every frame (where the family's input size is free, or a
    frame is cut into tiles), then the number of frames; each is said in a warning.

    Args:
        plan: The wanted instants.
        session: Whose context it must fit.
        display_size: (width, height) of the video as shown.
        question_cells: Cells of everything but the frames.
        reserve: Cells kept for the answer.

    Raises:
        ResourceError: Not even one frame fits.
    """
    room = session.n_ctx - question_cells - reserve - 1
    sizes = [session.frame_size(display_size, halvings=n) for n in range(MAX_HALVINGS + 1)]
    group = session.profile.group
    label = _longest_label(plan, session)
    for size in sizes:
        cells = session.frame_cells(size) + label
        wanted = -(-len(plan.frames) // group)
        fitting = max(0, room) // cells
        if wanted <= fitting:
            break
    warnings = []
    if size != sizes[0]:
        warnings.append(
            f"frames are looked at as {_by(size)} instead of {_by(sizes[0])}, to fit the context"
        )
    if fitting < 1:
        raise ResourceError(
            f"a context of {session.n_ctx} cells holds no frame: one takes {cells}, the question "
            f"{question_cells} and the answer {reserve}",
            hint="give more cells with --n-ctx"
            + (", or a shorter answer with --max-tokens" if reserve > cells else "")
            + ", or use --detail low",
        )
    if wanted > fitting:
        thinned = thin_plan(plan, fitting * group)
        warnings.append(
            f"{len(plan.frames)} frames were planned, {len(thinned.frames)} fit the context of "
            f"{session.n_ctx} cells"
        )
        plan, wanted = thinned, fitting
    return Fit(plan, size, cells, wanted, room - wanted * cells, tuple(warnings))


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _longest_label(plan: FramePlan, session: Session) -> int:
    """Cells of the longest label: the last instant has the most digits."""
    last = plan.frames[-1]
    frame = SeenFrame(
        len(plan.frames),
        Timestamp(int(last.time * 1000), Fraction(1, 1000)),
        last.time,
        last.reason,
    )
    text = write_label(session.profile, [frame] * session.profile.group, numbered=True)
    return session.count_cells([TextPart(text, special=True)])


def watch(
    source: FrameSource,
    encoder: Encoder,
    plan: FramePlan,
    *,
    size: tuple[int, int],
    store: TokenStore | None,
    timings: Timings,
    progress: Progress | None = None,
) -> Watched:
    """Turn planned instants into visual tokens.

    Args:
        source: The video.
        encoder: Makes the tokens; a session is one.
        plan: Instants, already fitted to the context.
        size: (width, height) to decode at.
        store: Tokens of earlier runs; None uses no cache.
        timings: Decode and encode seconds are added to it.
        progress: Told after every frame.

    Raises:
        MediaError: No frame could be had.
    """
    groups = _group(plan.frames, encoder.profile.group)
    found = {
        wanted: hit
        for wanted in map(_wanted, groups)
        if store is not None and (hit := store.get(wanted)) is not None
    }
    missing = [group for group in groups if _wanted(group) not in found]
    n_hits, n_encoded, native_before = len(found), 0, encoder.native_s
    for wanted, times, tokens, is_new in _encode_missing(
        source, encoder, plan, missing, size, timings, progress
    ):
        found[wanted] = (times, tokens)
        n_encoded += is_new
        if store is not None:
            store.put(wanted, times, tokens)
    warnings = dict.fromkeys(source.warnings)
    if store is not None:
        store.remember(tuple(warnings))
        warnings |= dict.fromkeys(store.warnings if n_hits else ())
    timings.native += encoder.native_s - native_before
    images = _number(groups, found)
    if not images:
        raise MediaError(f"no frame of {source.info.path} could be decoded")
    seen = [frame.time.seconds for image in images for frame in image.frames]
    cache = CacheUse.OFF if store is None else _cache_use(n_hits, len(groups))
    coverage = measure_coverage(plan.span, seen)
    return Watched(images, coverage, cache, tuple(warnings), encoded=n_encoded)


def watch_each(
    source: FrameSource,
    encoder: Encoder,
    plan: FramePlan,
    *,
    size: tuple[int, int],
    store: TokenStore | None,
    timings: Timings,
    progress: Progress | None = None,
) -> Iterator[tuple[ImagePart, bool]]:
    """As `watch`, one planned instant after another, holding the tokens of one only.

    Frames have the number of their instant; one that could not be had is left out, and one that is
    on screen for several instants comes for each. All are of families that do not merge frames.

    Yields:
        A frame, and whether the encoder was run for it.
    """
    groups = _group(plan.frames, 1)
    missing = [group for group in groups if store is None or store.get(_wanted(group)) is None]
    native_before = encoder.native_s
    fresh = _encode_missing(source, encoder, plan, missing, size, timings, progress)
    ahead = next(fresh, None)
    for number, group in enumerate(groups, start=1):
        wanted, is_new = _wanted(group), False
        if ahead is not None and ahead[0] == wanted:
            _, times, tokens, is_new = ahead
            if store is not None:
                store.put(wanted, times, tokens)
            ahead = next(fresh, None)
        elif store is not None and (hit := store.get(wanted)) is not None:
            times, tokens = hit
        else:
            continue
        frame = SeenFrame(number, times[0], group[0].time, group[0].reason)
        yield ImagePart((frame,), tokens), is_new
    timings.native += encoder.native_s - native_before


def find_unencoded(plan: FramePlan, encoder: Encoder, store: TokenStore | None) -> FramePlan | None:
    """The part of a plan that the store does not hold, and `watch` will decode; None for none."""
    groups = _group(plan.frames, encoder.profile.group)
    missing = [group for group in groups if store is None or store.get(_wanted(group)) is None]
    if not missing:
        return None
    return replace(plan, frames=tuple(frame for group in missing for frame in group))


def _cache_use(hits: int, total: int) -> CacheUse:
    if hits == total:
        return CacheUse.HIT
    return CacheUse.PARTIAL if hits else CacheUse.MISS


Group = tuple[PlannedFrame, ...]
Wanted = tuple[Fraction, ...]


def _group(frames: Sequence[PlannedFrame], n: int) -> list[Group]:
    return [tuple(frames[i : i + n]) for i in range(0, len(frames), n)]


def _wanted(group: Group) -> Wanted:
    return tuple(frame.time for frame in group)


def _encode_missing(
    source: FrameSource,
    encoder: Encoder,
    plan: FramePlan,
    missing: Sequence[Group],
    size: tuple[int, int],
    timings: Timings,
    progress: Progress | None,
) -> Iterator[tuple[Wanted, tuple[Timestamp, ...], VisualTokens, bool]]:
    """Tokens of what no cache holds, and whether they were encoded just now."""
    if not missing:
        return
    todo = replace(plan, frames=tuple(frame for group in missing for frame in group))
    owner = {frame.time: _wanted(group) for group in missing for frame in group}
    last: tuple[tuple[Timestamp, ...], VisualTokens] | None = None
    groups = _collect_groups(source, todo, owner, size, timings)
    for done, (wanted, frames) in enumerate(groups, start=1):
        times = tuple(frame.time for frame in frames)
        is_new = last is None or last[0] != times
        if last is not None and not is_new:
            tokens = last[1]  # several instants of a still stretch show one and the same frame
        else:
            started = time.perf_counter()
            tokens = encoder.encode([frame.image for frame in frames])
            timings.encode += time.perf_counter() - started
        last = times, tokens
        yield wanted, times, tokens, is_new
        if progress:
            progress("encode", done, len(missing))


def _collect_groups(
    source: FrameSource,
    plan: FramePlan,
    owner: dict[Fraction, Wanted],
    size: tuple[int, int],
    timings: Timings,
) -> Iterator[tuple[Wanted, list[Frame]]]:
    """Decoded frames by the group they belong to; a group may be short of lost frames."""
    frames = iter(source.frames(plan, size=size))
    held: list[Frame] = []
    while True:
        started = time.perf_counter()
        frame = next(frames, None)
        timings.decode += time.perf_counter() - started
        if frame is None or (held and owner[frame.wanted] != owner[held[0].wanted]):
            if held:
                yield owner[held[0].wanted], held
            held = []
        if frame is None:
            return
        held.append(frame)


def _number(
    groups: Sequence[Group], found: dict[Wanted, tuple[tuple[Timestamp, ...], VisualTokens]]
) -> tuple[ImagePart, ...]:
    """Give frames their ids in time order, each distinct picture once."""
    images: list[ImagePart] = []
    next_id, last_times = 1, None
    for group in groups:
        hit = found.get(_wanted(group))
        if hit is None or hit[0] == last_times:
            continue
        last_times, tokens = hit
        frames = tuple(
            SeenFrame(next_id + i, moment, planned.time, planned.reason)
            for i, (moment, planned) in enumerate(zip(last_times, group, strict=False))
        )
        next_id += len(frames)
        images.append(ImagePart(frames, tokens))
    return tuple(images)
