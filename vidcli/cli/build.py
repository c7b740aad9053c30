"""Opens what a command works with: videos in their decoding process, a model, the caches.

Every native thing that is opened here is closed when its `with` block ends.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli import settings
from vidcli.cli.caches import TRIED, open_prefix_cache, open_token_cache
from vidcli.cli.groups import Device, Loading, Looking
from vidcli.cli.options import Selection
from vidcli.core.media import Frame, Shot, VideoInfo
from vidcli.core.model import ModelFiles
from vidcli.core.protocols import Progress, TokenStore
from vidcli.core.results import VideoReport
from vidcli.core.time import Span
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from vidcli.core.media import FramePlan
    from vidcli.engine.prefix_cache import PrefixCache
    from vidcli.engine.session import LlamaSession
    from vidcli.engine.token_cache import TokenCache
    from vidcli.media.video import Video
    from vidcli.media.worker import DecoderWorker

WHERE_MODELS = (
    f"give --model and --mmproj, or set {settings.ENV_PREFIX}MODEL and {settings.ENV_PREFIX}MMPROJ"
)


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
                progress("scan", int(done * 100), 100)

        path = self.info.path
        found: Iterable[Any] = self.worker.call(operation, path, progress=report, **options)
        return found


OpenVideo = Callable[[str], Footage]


@contextmanager
def open_videos(first: str | None = None) -> Iterator[OpenVideo]:
    """A way to open videos for the block, all read by one process of their own.

    Args:
        first: The video that will be opened first: its opening begins at once, beside whatever
            this process does until it asks for it.
    """
    from vidcli.media.video import open_video
    from vidcli.media.worker import DecoderWorker

    with DecoderWorker() as worker, ThreadPoolExecutor(1) as pool:
        started = pool.submit(open_video, first, worker) if first is not None else None

        def open_footage(path: str) -> Footage:
            nonlocal started
            begun, started = started, None
            if begun is not None and path == first:
                return Footage(begun.result(), worker)
            return Footage(open_video(path, worker), worker)

        try:
            yield open_footage
        except BaseException:
            worker.close()  # the thread may be waiting for it
            raise


def import_engine() -> None:
    """Import what answering needs: worth doing while a video is being opened elsewhere."""
    import vidcli.engine.session
    import vidcli.methods.ask
    import vidcli.models.derive  # noqa: F401


@dataclass(slots=True)
class Bench:
    """A loaded model, and what is kept for it.

    Attributes:
        session: The model, until the block that opened the bench ends.
        tokens: Cache of visual tokens; None where none is used.
        prefixes: Cache of prefix snapshots; None where none is used.
        memory_bytes: What the model and this process take, from the headers of its files.
        load_s: Seconds that loading took, until the first result has accounted for them.
        warnings: What every result of this model should mention.
    """

    session: "LlamaSession"
    tokens: "TokenCache | None"
    prefixes: "PrefixCache | None"
    memory_bytes: int
    load_s: float = 0.0
    warnings: tuple[str, ...] = ()

    def take_load_seconds(self) -> float:
        """Seconds spent loading, the first time; loading is nobody else's cost."""
        spent, self.load_s = self.load_s, 0.0
        return spent

    def open_store(
        self, video: VideoReport, size: tuple[int, int]
    ) -> "AbstractContextManager[TokenStore | None]":
        """Visual tokens of a video at one frame size; None where no cache is used."""
        if self.tokens is None:
            return nullcontext()
        settings_digest = f"{self.session.token_settings} {size[0]}x{size[1]}"
        return self.tokens.open(video.fingerprint, settings_digest, Path(video.path).name)

    def all_warnings(self) -> tuple[str, ...]:
        """What loading found, and what went wrong with the caches' disk so far."""
        caches = (self.tokens, self.prefixes)
        disk = (text for cache in caches if cache is not None for text in cache.warnings)
        return (*self.warnings, *self.session.notes, *disk)


@contextmanager
def open_bench(loading: Loading, *, quiet: bool = False) -> Iterator[Bench]:
    """Load a model for the block.

    Raises:
        UsageError: No model is named.
        ModelError: The files are missing, broken, or do not belong together.
        ResourceError: No memory for it.
    """
    from vidcli.engine.native import supports_gpu
    from vidcli.engine.session import load_session
    from vidcli.models.derive import derive_mmproj
    from vidcli.models.gguf import read_facts
    from vidcli.models.hardware import count_free_cores, read_cpu
    from vidcli.models.memory import memory_needed

    started = time.perf_counter()
    files = find_files(loading, quiet=quiet)
    options = loading.load_options()
    options = replace(options, threads=options.threads or count_free_cores())
    weights, mmproj = read_facts(files.weights), read_facts(files.mmproj)
    cpu = None if options.mmproj_gpu and supports_gpu() else read_cpu()
    files, warnings = derive_mmproj(files, mmproj, detail=options.detail, cpu=cpu)
    with ExitStack() as stack:
        prefixes = None if loading.no_cache else open_prefix_cache()
        session = load_session(
            files,
            weights_facts=weights,
            mmproj_facts=mmproj,
            options=options,
            prefixes=prefixes,
            tried=settings.cache_dir() / TRIED,
        )
        stack.callback(session.close)
        yield Bench(
            session=session,
            tokens=None if loading.no_cache else open_token_cache(),
            prefixes=prefixes,
            memory_bytes=memory_needed(weights, mmproj, n_ctx=session.n_ctx).total,
            load_s=time.perf_counter() - started,
            warnings=(*warnings, *warn_of_gpu(loading)),
        )


def warn_of_gpu(loading: Loading) -> tuple[str, ...]:
    """A warning where the vision encoder was asked onto a GPU that is not there."""
    from vidcli.engine.native import supports_gpu

    if loading.mmproj_device is not Device.GPU or supports_gpu():
        return ()
    return ("--mmproj-device gpu: this build of llama.cpp has no GPU backend, running on CPU",)


def find_files(loading: Loading, *, quiet: bool = False) -> ModelFiles:
    """The pair of files that the command line or the environment names, checked and hashed.

    Raises:
        UsageError: No model is named.
        ModelError: The files are missing, broken, or do not belong together.
    """
    from vidcli.models.pair import resolve_files
    from vidcli.output.progress import open_progress

    if loading.model is None:
        raise UsageError("no model is named", hint=WHERE_MODELS)
    with open_progress(quiet=quiet) as progress:
        return resolve_files(loading.model, loading.mmproj, progress=progress)


def name_files(loading: Loading) -> tuple[Path, Path]:
    """Weights and projector of that pair; see `find_files`."""
    files = find_files(loading, quiet=True)
    return files.weights, files.mmproj


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
        return plan.plan_shots(
            info, span, source.find_shots(progress, span=span), budget=most, max_gap=gap
        )
    if looking.frames:
        return plan.plan_uniform(info, span, budget=looking.frames)
    return plan.plan_auto(info, span)


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
