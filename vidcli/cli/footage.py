"""Videos as commands see them: opened in a process of their own, and which instants to look at."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from vidcli import settings
from vidcli.cli.groups import Looking
from vidcli.cli.options import Selection
from vidcli.core.media import Frame, Shot, VideoInfo
from vidcli.core.protocols import Progress
from vidcli.core.time import Span
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.core.media import FramePlan
    from vidcli.media.video import Video
    from vidcli.media.worker import DecoderWorker


SCAN_UNITS = 10_000  # of a scan's progress, which is told as a share


@dataclass(frozen=True, slots=True)
class Footage:
    """An opened video and the process that reads it; a `core.protocols.FrameSource`."""

    video: "Video"
    worker: "DecoderWorker"

    @property
    def info(self) -> VideoInfo:
        """What probing found."""
        return self.video.info

    @property
    def warnings(self) -> tuple[str, ...]:
        """What probing and decoding found wrong so far, one sentence each."""
        return self.video.warnings

    @property
    def fingerprint(self) -> str:
        """Names the content, whatever the file is called."""
        return self.video.fingerprint

    def frames(self, plan: "FramePlan", *, size: tuple[int, int] | None = None) -> Iterator[Frame]:
        """Decode the planned instants, in order."""
        return self.video.frames(plan, size=size)

    def find_shots(
        self, progress: Progress | None = None, *, span: Span | None = None
    ) -> list[Shot]:
        """Detect the shots of a span, or of the whole video; every frame of it is decoded."""
        return list(self._scan("shots", progress, span=span))

    def find_keyframes(self, progress: Progress | None = None) -> list[Fraction]:
        """Times of all keyframes."""
        return list(self._scan("keyframes", progress))

    def _scan(
        self, operation: str, progress: Progress | None, **options: Span | None
    ) -> Iterable[Any]:
        def report(done: Fraction) -> None:
            if progress is not None:
                progress("scan", int(done * SCAN_UNITS), SCAN_UNITS)

        path = self.info.path
        found: Iterable[Any] = self.worker.call(operation, path, progress=report, **options)
        return found


OpenVideo = Callable[[str], Footage]


@contextmanager
def open_videos(first: str | None = None, *, sound_too: bool = False) -> Iterator[OpenVideo]:
    """A way to open videos for the block, all read by one process of their own.

    Args:
        first: The video that will be opened first: its opening begins at once, beside whatever
            this process does until it asks for it.
        sound_too: Whether files without pictures will do.
    """
    from concurrent.futures import ThreadPoolExecutor

    from vidcli.media.video import open_video
    from vidcli.media.worker import DecoderWorker

    with DecoderWorker(**settings.decode_limits()) as worker, ThreadPoolExecutor(1) as pool:
        open_one = partial(open_video, worker=worker, sound_too=sound_too)
        started = pool.submit(open_one, first) if first is not None else None

        def open_footage(path: str) -> Footage:
            nonlocal started
            begun, started = started, None
            if begun is not None and path == first:
                return Footage(begun.result(), worker)
            return Footage(open_one(path), worker)

        try:
            yield open_footage
        except BaseException:
            worker.close()  # the thread may be waiting for it
            raise


def choose_plan(
    source: Footage,
    looking: Looking,
    *,
    budget: int = settings.MAX_FRAMES,
    progress: Progress | None = None,
) -> "FramePlan":
    """Plan which instants of a video to look at.

    Args:
        source: The opened video; read through where the rule needs its shots or keyframes.
        looking: What the command line asks for.
        budget: Most frames where neither the command line nor the rule `auto` names a number.
        progress: Of reading it through.

    Raises:
        UsageError: The options contradict each other, or the span makes no sense.
    """
    from vidcli.media import plan

    select = resolve_selection(looking)
    info = source.info
    span = plan.choose_span(info, start=looking.start, end=looking.end)
    most = looking.frames or budget
    if select is Selection.FPS:
        return plan.plan_fps(info, span, fps=looking.fps or settings.AUTO_FPS, budget=most)
    if select is Selection.KEYFRAMES:
        return plan.plan_keyframes(span, source.find_keyframes(progress), budget=most)
    if select is Selection.SHOTS:
        gap = looking.max_gap or Fraction(settings.MAX_GAP_S)
        shots = source.find_shots(progress, span=span)
        return leave_out_repeats(
            source, plan.plan_shots(info, span, shots, budget=most, max_gap=gap)
        )
    if looking.frames:
        return plan.plan_uniform(info, span, budget=looking.frames)
    return plan.plan_auto(info, span)


def leave_out_repeats(source: Footage, plan: "FramePlan") -> "FramePlan":
    """Drop the instants whose picture shows nothing that the one kept before did not.

    Decided on small pictures before anything is encoded, so that a later run with a filled cache
    looks at the same frames.
    """
    from vidcli.media.near_duplicates import LONG_SIDE, drop_near_duplicates

    width, height = source.info.video.display_size
    scale = min(Fraction(1), Fraction(LONG_SIDE, max(width, height)))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    looked_at = drop_near_duplicates(source.frames(plan, size=small))
    new = {frame.wanted for frame, is_new in looked_at if is_new}
    kept = tuple(frame for frame in plan.frames if frame.time in new)
    repeats = len(plan.frames) - len(kept)
    if not repeats:
        return plan
    note = f"{repeats} of {len(plan.frames)} planned frames look like the one before: left out"
    return replace(plan, frames=kept, notes=(*plan.notes, note))


def resolve_selection(looking: Looking) -> Selection:
    """The rule that `--select`, `--fps` and `--max-gap` together ask for.

    Raises:
        UsageError: They contradict each other.
    """
    asked = looking.select
    if looking.fps is not None and asked not in (None, Selection.FPS):
        raise UsageError(f"--fps does not go with --select {asked}", hint="leave one of them out")
    if looking.max_gap is not None and (
        looking.fps is not None or asked not in (None, Selection.SHOTS)
    ):
        raise UsageError("--max-gap goes with --select shots only", hint="leave the others out")
    if asked is not None:
        return asked
    if looking.fps is not None:
        return Selection.FPS
    return Selection.UNIFORM if looking.max_gap is None else Selection.SHOTS
