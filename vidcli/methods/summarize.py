"""Summarize a video of any length: caption its segments one by one, then put them together.

How segments come about is `segmenting`'s, what is seen in them `captioning`'s, how captions become
a title, a paragraph and chapters `reducing`'s. Here they meet.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vidcli.core.media import measure_coverage
from vidcli.core.prompt import Prompt, TextPart
from vidcli.core.protocols import FrameSource, PieceStore, Progress, Session
from vidcli.core.results import FinishReason, Timings, VideoReport
from vidcli.core.sampling import Sampling
from vidcli.core.speech import Transcript, first_words, said_during
from vidcli.core.summary import (
    ChapterOrigin,
    Segment,
    SpeechReport,
    Summary,
    SummaryChapter,
    SummaryPlan,
    TracedStep,
)
from vidcli.engine.grammar import schema_to_gbnf
from vidcli.methods.ask import name_video
from vidcli.methods.captioned import count_usage, list_notes
from vidcli.methods.captioning import Captioner, Start
from vidcli.methods.reducing import Item, Reduction, Request, close_json
from vidcli.methods.writing import Writer

SAID_WORDS = 40  # of a segment, where captions are put together
UNDECODED = "This part could not be decoded."


@dataclass(frozen=True, slots=True)
class Summarizing:
    """How a summary is to be made.

    Attributes:
        sampling: How to generate; `max_tokens` is the longest caption of a segment.
        identity: Names the model and all that its answers depend on besides the prompt.
        transcript: What is said; None where nothing is known of that.
        only_chapters: Leave out title and paragraph; a video with chapters of its own is then not
            looked at.
    """

    sampling: Sampling
    identity: str
    transcript: Transcript | None = None
    only_chapters: bool = False

    def list_said(self, plan: SummaryPlan) -> tuple[str, ...]:
        """What is said in each segment of a plan."""
        cues = self.transcript.cues if self.transcript is not None else ()
        return said_during(cues, [segment.span for segment in plan.segments])


class Summarizer:
    """Makes one summary.

    Args:
        session: A loaded model.
        source: The opened video.
        video: Facts about it for the result.
        plan: From `segmenting`.
        options: How.
        pieces: Captions of earlier runs; None keeps none.
        timings: Seconds are added to it.
        progress: Told of every segment, frame and step.
        start: Begins to decode what will be asked for next; None decodes nothing ahead.
        record: Told of every prompt and its reply; None traces nothing.
    """

    def __init__(
        self,
        session: Session,
        source: FrameSource,
        video: VideoReport,
        plan: SummaryPlan,
        options: Summarizing,
        *,
        pieces: PieceStore | None,
        timings: Timings,
        progress: Progress | None = None,
        start: Start | None = None,
        record: Callable[[TracedStep], None] | None = None,
    ) -> None:
        self._session = session
        self._source = source
        self._video = video
        self._plan = plan
        self._transcript = options.transcript
        self._only_chapters = options.only_chapters
        self._progress = progress
        self._said = options.list_said(plan)
        self._writer: Writer[Session] = Writer(
            session, options.sampling, options.identity, pieces, timings, record
        )
        self._captioner = Captioner(
            self._writer, source, video, plan, self._said, progress=progress, start=start
        )
        self._cut: Counter[str] = Counter()
        self._shortened = 0  # words of speech

    @property
    def n_captioned(self) -> int:
        """Segments whose caption is there, those of earlier runs included."""
        return self._captioner.n_done

    def run(self) -> Summary:
        """Caption what is not captioned yet, and put it all together.

        Raises:
            MediaError: Nothing of the video could be decoded.
            ResourceError: The context is too small.
            KeyboardInterrupt: Ctrl-C; captions that were finished are kept.
        """
        timings, before = self._writer.timings, self._session.native_s
        begun = timings.native
        reduction = Reduction(
            self._session.n_ctx, self._writer.count, self._reply, progress=self._tell_step
        )
        segments = self._caption()
        items = reduction.condense(list(self._items(segments)))
        chapters, origin = self._find_chapters(items, reduction)
        title, text = ("", "") if self._only_chapters else reduction.summarize(items)
        timings.native = begun + self._session.native_s - before
        seen = [frame.time.seconds for segment in segments for frame in segment.frames]
        return Summary(
            video=self._video,
            title=title or self._source.info.title or name_video(self._video),
            text=text or " ".join(item.seen for item in items),
            chapters=chapters,
            origin=origin,
            marks=self._source.info.chapters,
            segments=tuple(segments),
            coverage=measure_coverage(self._plan.span, seen),
            speech=self._report_speech(segments, reduction),
            steps=reduction.steps,
            model=self._session.report,
            method=self._plan.rule,
            usage=count_usage(self._captioner, segments),
            timings=timings,
            warnings=self._list_warnings(segments, reduction),
        )

    def _caption(self) -> list[Segment]:
        """Every segment, captioned; none where the author's chapters are all that is wanted."""
        if self._only_chapters and self._plan.marks:
            return []
        segments = list(self._captioner.caption_all())
        if not any(segment.frames for segment in segments):
            assert self._captioner.failure is not None, "frames are seen or fail"
            raise self._captioner.failure
        return segments

    # Putting together

    def _items(self, segments: Sequence[Segment]) -> Iterator[Item]:
        for segment in segments:
            spoken = self._said[segment.number - 1]
            self._shortened += max(0, segment.words - SAID_WORDS)
            yield Item(
                first=segment.number,
                last=segment.number,
                span=segment.span,
                seen=segment.caption if segment.frames else UNDECODED,
                said=first_words(spoken, SAID_WORDS),
                title=self._mark_of(segment),
            )

    def _mark_of(self, segment: Segment) -> str:
        """The author's title of the chapter that holds a segment."""
        marks = self._plan.marks
        return next((mark.title for mark in marks if segment.span.start in mark.span), "")

    def _find_chapters(
        self, items: Sequence[Item], reduction: Reduction
    ) -> tuple[tuple[SummaryChapter, ...], ChapterOrigin]:
        if self._plan.marks:
            return tuple(self._marked()), ChapterOrigin.FILE
        found = reduction.find_chapters(items)
        chapters = (
            SummaryChapter(item.span, item.title or f"Part {number}", item.first, item.last)
            for number, item in enumerate(found, start=1)
        )
        return tuple(chapters), ChapterOrigin.MODEL

    def _marked(self) -> Iterator[SummaryChapter]:
        """The author's chapters; segments never reach over their edges."""
        segments = list(enumerate(self._plan.segments, start=1))
        for number, mark in enumerate(self._plan.marks, start=1):
            inside = [n for n, segment in segments if segment.span.start in mark.span]
            title = " ".join(mark.title.split()) or f"Chapter {number}"
            yield SummaryChapter(mark.span, title, inside[0], inside[-1])

    def _reply(self, request: Request) -> dict[str, Any]:
        key = self._writer.key(request.name, request.text, request.schema, request.tokens)
        kept = self._writer.find(key, "reply", "is_cut")
        if kept is not None:
            self._writer.repeat(request.name, kept["reply"])
            return self._read(request, kept["reply"], is_cut=kept["is_cut"])
        text, finish = self._writer.write(
            request.name,
            Prompt(self._writer.render(TextPart(request.text))),
            tokens=request.tokens,
            grammar=schema_to_gbnf(request.schema),
            progress=self._progress,
        )
        is_cut = finish is not FinishReason.STOP
        self._writer.keep(key, {"reply": text, "is_cut": is_cut})
        return self._read(request, text, is_cut=is_cut)

    def _read(self, request: Request, text: str, *, is_cut: bool) -> dict[str, Any]:
        if is_cut:
            self._cut[f"a reply ({request.name}) was cut at {request.tokens} tokens"] += 1
        return close_json(text)

    def _tell_step(self, step: int) -> None:
        if self._progress:
            self._progress("put together", step, 0)

    # What is told

    def _report_speech(
        self, segments: Sequence[Segment], reduction: Reduction
    ) -> SpeechReport | None:
        transcript = self._transcript
        if transcript is None:
            return None
        return SpeechReport(
            kind=transcript.kind,
            name=transcript.name,
            language=transcript.language,
            words=sum(segment.words for segment in segments),
            words_left_out=sum(segment.words_left_out for segment in segments),
            words_shortened=self._shortened + reduction.words_shortened,
        )

    def _list_warnings(self, segments: Sequence[Segment], reduction: Reduction) -> tuple[str, ...]:
        notes = [*self._source.warnings, *self._captioner.notes, *self._plan.notes]
        if self._transcript is not None:
            notes += self._transcript.notes
        notes += list_notes(self._captioner, segments)
        notes += [text if n == 1 else f"{text} ({n} times)" for text, n in self._cut.items()]
        if reduction.words_trimmed:
            notes.append(
                f"{reduction.words_trimmed} words of captions did not fit where they were put "
                "together; --n-ctx gives more room"
            )
        if reduction.dropped:
            notes.append(
                f"chapters of a reply that began nowhere new: {reduction.dropped} left out"
            )
        return tuple(dict.fromkeys(notes))
