"""The task of `transcribe`: where the words of a video come from, and what is kept of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from vidcli.cli.asking import describe
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Telling
from vidcli.cli.hearing import foresee_hearing, hear_video
from vidcli.cli.mixing import SOURCES
from vidcli.cli.speech import AUTO, digest_speech, read_sidecars, read_streams
from vidcli.cli.tasks import Job, Made, ShownProgress, ToolTask
from vidcli.core.protocols import Progress, Transcriber
from vidcli.core.speech import Heard, Listening, Transcript
from vidcli.core.time import Span, format_time
from vidcli.errors import ModelError, SetupError
from vidcli.output.tool_plans import ToolPlan
from vidcli.output.transcripts import say_transcript, transcript_document


class By(StrEnum):
    """Where words come from."""

    AUTO = "auto"
    SIDECAR = "sidecar"
    EMBEDDED = "embedded"
    WHISPER = "whisper"
    MODEL = "model"


NOT_FOUND = {
    By.AUTO: "it has no subtitles and no audio",
    By.SIDECAR: "no subtitle file lies beside it",
    By.EMBEDDED: "it holds no subtitle stream of text",
    By.WHISPER: "it has no audio",
    By.MODEL: "it has no audio",
}


@dataclass(frozen=True, kw_only=True)
class TranscribeTask(ToolTask):
    """What is said in any number of videos.

    Attributes:
        by: Where the words come from.
        listening: How sound is heard.
        listener: Names what would hear, without loading it; empty where there is nothing.
        open_transcriber: Loads it, the first time.
        telling: Where to say what is kept when the user stops it.
        is_anew: Whether what earlier runs heard is heard again.
        keeps: Whether what is heard is kept.
    """

    by: By
    listening: Listening
    listener: str
    open_transcriber: Callable[[], Transcriber]
    telling: Telling
    is_anew: bool = False
    keeps: bool = True
    takes_sound: bool = True

    def describe(self) -> dict[str, Any]:
        """Everything of the task that shapes what is written down."""
        return {
            "by": self.by.value,
            "language": self.listening.language,
            "words": self.listening.words,
            "listener": self.listener,
        }

    def digest_beside(self, path: str) -> str:
        """Names the subtitles that may be read; a new or changed file makes another transcript."""
        return digest_speech(path, AUTO) if self.by in (By.AUTO, By.SIDECAR) else ""

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Span:
        """The part of the video to write down."""
        from vidcli.media.plan import choose_span

        return choose_span(source.info, start=self.looking.start, end=self.looking.end)

    def answer(self, job: Job) -> Made:
        """Write down what is said in one video."""
        span = job.plan or self.plan(job.source)
        started = time.perf_counter()
        heard = self._find(job.source, span, job.progress)
        of_words = heard.transcript.notes if heard.transcript is not None else ()
        warnings = tuple(dict.fromkeys((*job.source.warnings, *heard.notes, *of_words)))
        reason = "" if heard.transcript is not None else NOT_FOUND[self.by]
        document = transcript_document(
            describe(job.source), heard.transcript, span, reason=reason, warnings=warnings
        )
        return Made(
            document=document,
            evidence=say_transcript(document),
            warnings=warnings,
            details=(f"found in {time.perf_counter() - started:.1f} s",),
        )

    def _find(self, source: Footage, span: Span, progress: ShownProgress) -> Heard:
        written, notes = self._find_written(source, progress)
        if written is not None:
            return Heard(_part(written, span), notes)
        if self.by in (By.SIDECAR, By.EMBEDDED):
            return Heard(None, notes)
        done_s = 0

        def note_progress(phase: str, done: int, total: int) -> None:
            nonlocal done_s
            done_s = done
            progress(phase, done, total)

        try:
            heard = hear_video(
                source,
                span,
                self.listening,
                self.open_transcriber,
                keeps=self.keeps,
                is_anew=self.is_anew,
                progress=note_progress,
            )
        except KeyboardInterrupt:
            self._tell_kept(progress, done_s)
            raise
        except (ModelError, SetupError) as error:
            if self.by is not By.AUTO:
                raise
            text = f"{source.info.path} has no subtitles, and {error}"
            raise type(error)(text, hint=error.hint) from error
        return Heard(heard.transcript, (*notes, *heard.notes))

    def _find_written(
        self, source: Footage, progress: Progress | None
    ) -> tuple[Transcript | None, tuple[str, ...]]:
        """Words that somebody wrote down, and what could not be used of them."""
        notes: tuple[str, ...] = ()
        if self.by in (By.AUTO, By.SIDECAR):
            heard = read_sidecars(source)
            notes += heard.notes
            if heard.transcript is not None:
                return heard.transcript, notes
        if self.by in (By.AUTO, By.EMBEDDED):
            heard = read_streams(source, progress=progress)
            notes += heard.notes
            if heard.transcript is not None:
                return heard.transcript, notes
        return None, notes

    def _tell_kept(self, progress: ShownProgress, done_s: int) -> None:
        progress.clear()
        if self.keeps and done_s:
            self.telling.notes.tell(
                f"{format_time(done_s)} heard and kept: the same command goes on from there"
            )

    def foresee(self, source: Footage, progress: Progress | None = None) -> ToolPlan:
        """Where the words would come from; of sound, one stretch is heard to measure it.

        Raises:
            VidcliError: There is nothing to hear with, or the sound cannot be decoded.
        """
        span = self.plan(source)
        written, notes = self._find_written(source, progress)
        warnings = tuple(dict.fromkeys((*source.warnings, *notes)))
        plan = ToolPlan(video=describe(source), command=self.name, span=span, warnings=warnings)
        if written is not None:
            part = _part(written, span)
            return replace(
                plan,
                tool=f"{SOURCES[part.kind]}: {part.name}",
                unit="lines",
                amount=len(part.cues),
                warnings=(*warnings, *part.notes),
            )
        if self.by in (By.SIDECAR, By.EMBEDDED) or not source.info.audio:
            return replace(plan, reason=NOT_FOUND[self.by])
        keeps = self.keeps and not self.is_anew
        cost = foresee_hearing(source, span, self.listening, self.open_transcriber(), keeps=keeps)
        amount = max(1, round(span.length))
        return replace(
            plan,
            tool=cost.name,
            amount=amount,
            kept=amount if cost.kept_s == span.length else min(amount, int(cost.kept_s)),
            unit_s=cost.second_s,
            warnings=(*warnings, *cost.notes),
        )


def _part(transcript: Transcript, span: Span) -> Transcript:
    """What of it is said in a span: lines whose middle lies in it."""
    cues = [cue for cue in transcript.cues if (cue.span.start + cue.span.end) / 2 in span]
    return replace(transcript, cues=tuple(cues))
