"""Answers that are read from captions: of every frame, or of a tree of them.

Here the model that sees meets the one that reads, which may be one and the same. What is written of
a frame is kept as soon as it is; so is every call that is not the answer itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from fractions import Fraction

from vidcli import settings
from vidcli.core.media import FramePlan, measure_coverage
from vidcli.core.protocols import (
    FrameSource,
    PieceStore,
    Progress,
    Session,
    TextSession,
    TokenStore,
)
from vidcli.core.results import Answer, CacheUse, Delta, FinishReason, Timings, Usage, VideoReport
from vidcli.core.route import Caption, Reading, Round, Route
from vidcli.core.summary import Segment, TracedStep
from vidcli.methods.ask import Question, list_cuts
from vidcli.methods.captioning import Captioner
from vidcli.methods.captions import Line, Reader, plan_segments, to_lines
from vidcli.methods.cite import show_frames
from vidcli.methods.tree import Tree, embed_means
from vidcli.methods.watch import watch
from vidcli.methods.writing import Writer

OpenStore = Callable[[tuple[int, int]], AbstractContextManager[TokenStore | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an answer through text is made with.

    Attributes:
        session: The model that sees.
        planner: The model that reads; None where it is the same.
        identities: Names of both and all that their replies depend on besides the prompt.
        source: The opened video.
        plan: Instants that may be captioned.
        question: What is asked.
        video: Facts about the video.
        reading: How captions are read.
        open_store: Visual tokens kept of this video at one frame size.
        pieces: What earlier runs wrote; None keeps nothing.
        timings: To be added to.
        progress: To be told what is done.
        record: Told of every prompt and its reply; None traces nothing.
    """

    session: Session
    planner: TextSession | None
    identities: tuple[str, str]
    source: FrameSource
    plan: FramePlan
    question: Question
    video: VideoReport
    reading: Reading
    open_store: OpenStore
    pieces: PieceStore | None
    timings: Timings
    progress: Progress | None = None
    record: Callable[[TracedStep], None] | None = None


@dataclass(slots=True)
class ThroughText:
    """One answer through text.

    Args:
        parts: What it is made with.

    Attributes:
        answer: The whole, once `read_all` or `read_tree` is through.
        n_encoded: Pictures that the vision encoder was given.
    """

    parts: Parts
    answer: Answer | None = None
    n_encoded: int = 0
    _seen: Writer[Session] = field(init=False)
    _reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        parts = self.parts
        plain = replace(parts.question.sampling, grammar="")
        told = replace(plain, max_tokens=settings.SEGMENT_TOKENS)
        sees, reads = parts.identities
        self._seen = Writer(parts.session, told, sees, parts.pieces, parts.timings, parts.record)
        reading: Writer[TextSession] = Writer(
            parts.planner or parts.session, plain, reads, parts.pieces, parts.timings, parts.record
        )
        self._reader = Reader(reading, parts.question, parts.progress)

    def read_all(self, *, method: str) -> Iterator[Delta]:
        """Caption every planned instant, then answer.

        Args:
            method: What to call this in the result.

        Raises:
            MediaError: Nothing of the video could be decoded.
            ResourceError: The context is too small.
            KeyboardInterrupt: Ctrl-C; captions that were finished are kept.
        """
        begun, native_before = self.parts.timings.native, self._native_s
        with self.parts.open_store(self._size) as store:
            captioner = self.make_captioner(store)
            segments = list(captioner.caption_all())
        self._require_seen(segments, captioner)
        lines = to_lines(segments)
        yield from self._reader.answer(lines, self.parts.reading)
        self.parts.timings.native = begun + self._native_s - native_before
        self.n_encoded = captioner.n_encoded
        self.answer = self._report(method, segments, captioner, lines)

    def read_tree(self, *, method: str, budget: int) -> Iterator[Delta]:
        """Caption the frames that matter, then answer; see `tree`.

        Args:
            method: What to call this in the result.
            budget: Frames that may be captioned.

        Raises:
            MediaError: Nothing of the video could be decoded.
            ResourceError: The context is too small.
            KeyboardInterrupt: Ctrl-C; captions that were finished are kept.
        """
        parts, native_before = self.parts, self._native_s
        begun = parts.timings.native
        with parts.open_store(self._size) as store:
            captioner = self.make_captioner(store)
            watched = watch(
                parts.source,
                parts.session,
                parts.plan,
                size=self._size,
                store=store,
                timings=parts.timings,
                progress=parts.progress,
            )
            numbers = self._number_images([image.frames[0].wanted for image in watched.images])
            tree = Tree(
                embed_means(watched.images),
                lambda frame: captioner.caption_one(numbers[frame]),
                self._reader,
                budget,
            )
            lines = tree.grow()
        segments = sorted(tree.captioned.values(), key=lambda segment: segment.span.start)
        self._require_seen(segments, captioner)
        yield from self._reader.answer(lines, parts.reading)
        parts.timings.native = begun + self._native_s - native_before
        self.n_encoded = watched.encoded + captioner.n_encoded
        self.answer = self._report(
            method,
            segments,
            captioner,
            lines,
            rounds=tuple(tree.rounds),
            left_out=tree.left_out,
            n_encoded=len(watched.frames),
        )

    @property
    def _native_s(self) -> float:
        planner = self.parts.planner
        return self.parts.session.native_s + (planner.native_s if planner is not None else 0.0)

    @property
    def _size(self) -> tuple[int, int]:
        return self.parts.session.frame_size(self.parts.source.info.video.display_size)

    def make_captioner(self, store: TokenStore | None) -> Captioner:
        """What captions the planned instants, a segment for each frame or group."""
        parts = self.parts
        plan = plan_segments(parts.plan, group=parts.session.profile.group)
        return Captioner(
            self._seen,
            parts.source,
            parts.video,
            plan,
            [""] * len(plan.segments),
            progress=parts.progress,
            store=store,
        )

    def _number_images(self, times: Sequence[Fraction]) -> list[int]:
        """The segment (from 1) that begins with each of these planned instants."""
        group = self.parts.session.profile.group
        firsts = [frame.time for frame in self.parts.plan.frames[::group]]
        place = {time: number for number, time in enumerate(firsts, start=1)}
        return [place[time] for time in times]

    def _require_seen(self, segments: Sequence[Segment], captioner: Captioner) -> None:
        if not any(segment.frames for segment in segments):
            assert captioner.failure is not None, "frames are seen or fail"
            raise captioner.failure

    def _report(
        self,
        method: str,
        segments: Sequence[Segment],
        captioner: Captioner,
        lines: Sequence[Line],
        *,
        rounds: tuple[Round, ...] = (),
        left_out: int = 0,
        n_encoded: int | None = None,
    ) -> Answer:
        parts, reader = self.parts, self._reader
        in_order = [frame for segment in segments for frame in segment.frames]
        frames = tuple(replace(frame, id=number) for number, frame in enumerate(in_order, start=1))
        tokens = tuple(n for segment in segments for n in segment.frame_tokens)
        coverage = measure_coverage(parts.plan.span, [frame.time.seconds for frame in frames])
        kept = sum(segment.is_kept for segment in segments)
        route = Route(
            captions=tuple(Caption(line.span, line.text) for line in lines),
            captions_made=len(segments),
            captions_kept=kept,
            captions_left_out=left_out,
            words_left_out=reader.words_left_out,
            frames_encoded=len(frames) if n_encoded is None else n_encoded,
            rounds=rounds,
            calls=tuple(reader.calls),
            planner=None if parts.planner is None else parts.planner.report,
        )
        return Answer(
            question=parts.question.text,
            text=reader.made.text.strip(),
            finish=reader.made.finish,
            video=parts.video,
            frames=frames,
            frame_tokens=tokens,
            coverage=coverage,
            evidence=(show_frames(frames, frames, coverage),),
            citations_dropped=0,
            choices=reader.choices,
            method=method,
            model=parts.session.report,
            usage=self._usage(segments, kept),
            timings=replace(parts.timings),
            warnings=self._list_warnings(segments, captioner, route),
            route=route,
        )

    def _usage(self, segments: Sequence[Segment], kept: int) -> Usage:
        use = CacheUse.OFF
        if self.parts.pieces is not None:
            use = CacheUse.PARTIAL if kept else CacheUse.MISS
            use = CacheUse.HIT if kept == len(segments) else use
        seen, read = self._seen, self._reader.writer
        return Usage(
            seen.visual_tokens,
            seen.prompt_tokens + read.prompt_tokens,
            seen.written_tokens + read.written_tokens,
            visual_cache=use,
        )

    def _list_warnings(
        self, segments: Sequence[Segment], captioner: Captioner, route: Route
    ) -> tuple[str, ...]:
        notes = [*self.parts.plan.notes, *self.parts.source.warnings, *captioner.notes]
        for text, times in captioner.gave_way.items():
            notes.append(text if times == 1 else f"{text} ({times} times)")
        lost = sum(not segment.frames for segment in segments)
        cut = sum(s.finish in (FinishReason.LENGTH, FinishReason.CONTEXT) for s in segments)
        told = (
            (lost, f"{lost} of {len(segments)} frames could not be decoded"),
            (
                cut,
                f"{cut} of {len(segments)} captions were cut at {captioner.caption_tokens} tokens",
            ),
            (
                route.captions_left_out,
                f"{route.captions_left_out} frames that matter were not captioned: the budget is "
                f"{route.captions_made}",
            ),
            (
                route.words_left_out,
                f"{route.words_left_out} words of captions did not fit the prompt; --n-ctx gives "
                "more room",
            ),
        )
        notes += [text for number, text in told if number]
        notes += list_cuts(self._reader.made)
        return tuple(dict.fromkeys(notes))
