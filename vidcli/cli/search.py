"""`vidcli search`: which parts of which videos fit some words, by a trained model's heads."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli import asking
from vidcli.cli.build import Bench, import_engine, open_bench
from vidcli.cli.choosing import check_model, find_bundle
from vidcli.cli.footage import Footage, open_videos
from vidcli.cli.groups import Loading, TellingOnce, WindowLooking, takes_groups
from vidcli.cli.inputs import Choosing, each_input, gather
from vidcli.cli.options import OUTPUT, StepOption, VideosArgument, WindowOption
from vidcli.cli.terminal import write_document, write_out
from vidcli.core.results import Approach, Timings
from vidcli.core.search import Scored, Searched
from vidcli.errors import ExitCode, ModelError, PartialFailure, UsageError

if TYPE_CHECKING:
    from vidcli.methods.retrieval import DualEncoder
    from vidcli.methods.sliding import WindowGrid
    from vidcli.methods.watch import Watched
    from vidcli.models.bundle import Bundle
    from vidcli.output.progress import AnyProgress

TOP = 10


@takes_groups
def search(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="What to look for, as a caption would say it.", show_default=False
        ),
    ],
    videos: VideosArgument,
    choosing: Choosing,
    looking: WindowLooking,
    loading: Loading,
    telling: TellingOnce,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="How many hits, at most.")] = TOP,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            metavar="SCORE",
            help="Least cosine of a hit, -1 to 1; it differs from model to model.",
            show_default="any",
        ),
    ] = None,
    window: WindowOption = None,
    step: StepOption = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say which frames, how many tokens and how long; compare nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
) -> None:
    """Find the parts of many videos that fit some words, the best first.

    One line a hit, file@time and its score, from all videos together. Parts and words are compared
    as vectors: the model needs heads for that, which 'vidcli train pretrain --objective contrast'
    trains. Frames that were looked at before are not encoded again. Nothing found is exit code 1.
    """
    if not text.strip():
        raise UsageError("the text is empty", hint='vidcli search "a dog runs" VIDEO...')
    inputs = gather(videos, choosing)
    bundle = _require_heads(loading.model)
    failure: PartialFailure | None = None
    with ExitStack() as stack:
        first = inputs.files[0].path if inputs.files else None
        seeking = Search(stack, bundle, text, looking, loading, telling, window, step)
        open_video = stack.enter_context(open_videos(first))
        work = seeking.rehearse if dry_run else seeking.look
        try:
            each_input(inputs, lambda path: work(open_video(path)), json=telling.json)
        except PartialFailure as error:
            failure = error
        found = dry_run or seeking.tell(top, threshold)
    if failure is not None:
        raise failure
    if not found:
        raise typer.Exit(ExitCode.NEGATIVE)


def _require_heads(model: str | None) -> "Bundle":
    """The bundle that is named, with heads.

    Raises:
        ModelError: It has none, or there is no such model.
    """
    bundle = find_bundle(model)
    if bundle is None and model is not None:
        check_model(model)
    if bundle is None or bundle.heads is None:
        name = bundle.name if bundle else model
        raise ModelError(
            f"{name} has no heads to search with" if name else "search needs a model with heads",
            hint="'vidcli find VIDEO TEXT' asks any model about one video; 'vidcli train pretrain "
            "--objective contrast' trains heads, and --model names its --out",
        )
    return bundle


@dataclass
class Search:
    """One search, from video to video.

    Attributes:
        stack: Closes what is opened.
        bundle: Of the model.
        text: What is looked for.
        looking: Which part of a video, and how closely.
        loading: How the model is loaded.
        telling: What is said beside the hits.
        window: Seconds of a part; None goes by the length of the video.
        step: From one to the next; None is half of that.
    """

    stack: ExitStack
    bundle: "Bundle"
    text: str
    looking: WindowLooking
    loading: Loading
    telling: TellingOnce
    window: Fraction | None
    step: Fraction | None
    scored: list[Scored] = field(default_factory=list)
    searched: Searched = field(default_factory=Searched)
    timings: Timings = field(default_factory=Timings)
    warnings: dict[str, None] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @cached_property
    def bench(self) -> Bench:
        """The model, loaded when the first video proves to be one."""
        import_engine()
        return self.stack.enter_context(open_bench(self.loading, notes=self.telling.notes))

    @cached_property
    def encoder(self) -> "DualEncoder":
        """Its heads.

        Raises:
            ModelError: They were trained for another projector than the one that is loaded.
        """
        from vidcli.methods.retrieval import open_encoder

        if self.bench.session.report.mmproj_sha256 != self.bundle.sha256["mmproj"]:
            raise ModelError(
                f"the heads of {self.bundle.name} were trained for another model than that of "
                "--mmproj",
                hint="leave out --mmproj",
            )
        return open_encoder(self.bundle, self.bench.session)

    @cached_property
    def progress(self) -> "AnyProgress":
        """Of frames, until the first hit is written."""
        from vidcli.output.progress import open_progress

        progress = open_progress(quiet=self.telling.quiet)
        self.stack.enter_context(progress)
        return progress

    def look(self, source: Footage) -> None:
        """Compare every part of a video with the text."""
        from vidcli.methods.retrieval import embed_windows

        grid = self._lay(source)
        words = self.encoder.embed_text(self.text)  # refuses what does not fit, before any work
        watched = self._watch(source, grid)
        video = asking.describe(source)
        self.scored += [
            Scored(video.path, video.fingerprint, span, float(vector @ words))
            for span, vector in embed_windows(self.encoder, watched.images, grid)
        ]
        self.searched.videos += 1
        self.searched.windows += len(grid.windows)
        self.searched.frames += len(watched.images) * self.bench.session.profile.group
        self.searched.encoded += watched.encoded
        for warning in dict.fromkeys((*source.info.warnings, *watched.warnings)):
            self._warn(f"{video.path}: {warning}")

    def rehearse(self, source: Footage) -> None:
        """Say what comparing one video would take, measured on one frame."""
        from vidcli.cli.rehearse import show_rehearsal, tell_cost
        from vidcli.methods.ask import Question
        from vidcli.methods.retrieval import estimate_encoding

        grid = self._lay(source)
        self.encoder.embed_text(self.text)
        cost = estimate_encoding(
            source, self.bench.session, grid.plan, size=self._frame_size(source)
        )
        told = tell_cost(self.bench, source, Question(self.text), cost, Approach())
        self.progress.clear()
        show_rehearsal(replace(told, reserved_cells=0), self.telling)

    def tell(self, top: int, threshold: float | None) -> bool:
        """Write the hits; gives whether there are any."""
        from vidcli.methods.retrieval import pick_hits
        from vidcli.output.plain import printable
        from vidcli.output.search import say_hit, say_searched, search_document

        hits = pick_hits(self.scored, threshold=threshold)
        best, left_out = hits[:top], len(hits[top:])
        is_loaded = bool(self.searched.videos)
        for warning in self.bench.all_warnings() if is_loaded else ():
            self._warn(warning)
        self.timings.total = time.perf_counter() - self.started
        self.progress.clear()
        if self.telling.json:
            write_document(
                search_document(
                    self.text, best, left_out=left_out, threshold=threshold,
                    searched=self.searched, timings=self.timings, warnings=list(self.warnings),
                    model=self.bench.session.report if is_loaded else None,
                )
            )  # fmt: skip
        else:
            lines = (say_hit(hit, path=printable(hit.path)) for hit in best)
            write_out("".join(f"{line}\n" for line in lines))
        self.telling.notes.tell(say_searched(self.searched, hits=len(hits), left_out=left_out))
        return bool(hits)

    def _lay(self, source: Footage) -> "WindowGrid":
        """The windows of a video."""
        from vidcli.media.plan import choose_span
        from vidcli.methods.sliding import FRAMES, choose_lengths, count_frames, lay_windows

        looking = self.looking.looking
        span = choose_span(source.info, start=looking.start, end=looking.end)
        window, step = choose_lengths(span, window=self.window, step=self.step)
        frames = count_frames(
            min(window, span.length), frames=looking.frames, fps=looking.fps,
            usual=self.bundle.frames or FRAMES,
        )  # fmt: skip
        group = self.bench.session.profile.group
        return lay_windows(span, window=window, step=step, frames=frames, group=group)

    def _frame_size(self, source: Footage) -> tuple[int, int]:
        """As in training, whatever the context holds: nothing is put to the model."""
        return self.bench.session.frame_size(source.info.video.display_size)

    def _watch(self, source: Footage, grid: "WindowGrid") -> "Watched":
        from vidcli.methods.watch import watch

        size = self._frame_size(source)
        self.timings.load += self.bench.take_load_seconds()
        with self.bench.open_store(asking.describe(source), size) as store:
            return watch(
                source, self.bench.session, grid.plan, size=size, store=store,
                timings=self.timings, progress=self.progress,
            )  # fmt: skip

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings[warning] = None
            self.telling.notes.warn(warning)
