"""Puts the questions of a set to a model, each the way `vidcli ask` does, and keeps the replies."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vidcli.cli.asking import answer_question
from vidcli.cli.build import Bench, find_files, open_bench
from vidcli.cli.footage import Footage, OpenVideo, open_videos
from vidcli.cli.groups import Loading, Telling, Watching
from vidcli.cli.questions import Asking
from vidcli.cli.tasks import Job, describe_settings
from vidcli.cli.terminal import report_error
from vidcli.cli.watching import answer_by_work, choose_method
from vidcli.errors import EngineError, MediaError, ResourceError, UsageError

if TYPE_CHECKING:
    from vidcli.evaluate.predictions import Prediction, Predictions
    from vidcli.evaluate.sets import EvalQuestion
    from vidcli.methods.ask import Question
    from vidcli.output.progress import AnyProgress

OF_THE_VIDEO = (MediaError, ResourceError, EngineError)


class Mode(StrEnum):
    """What the model is shown."""

    FRAMES = "frames"
    BLIND = "no frames"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """What the command line says of an evaluation.

    Attributes:
        looking: Which frames.
        loading: Which model.
        telling: What is said.
        max_tokens: Longest reply.
        instruction: Stands after each question.
    """

    looking: Watching
    loading: Loading
    telling: Telling
    max_tokens: int
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Replied:
    """One mode's replies: of every question that could be put, and the videos that failed."""

    replies: "list[tuple[EvalQuestion, Prediction]]"
    failed: int


class Evaluation:
    """A model under evaluation; a context manager.

    The model is loaded and videos are opened when a question has no reply yet.

    Raises:
        ModelError: There is no model, or its files are broken.
    """

    def __init__(self, options: EvalOptions, predictions: "Predictions") -> None:
        self._options = options
        self._predictions = predictions
        self._files = find_files(options.loading, notes=options.telling.notes)
        self._stack = ExitStack()
        self._bench: Bench | None = None
        self._open: OpenVideo | None = None
        self._needs_model = False
        self.asked = 0

    @property
    def name(self) -> str:
        """What the model is called."""
        return self._files.name or self._files.weights.name

    @property
    def digests(self) -> dict[str, str]:
        """Of the model's files."""
        return {"weights": self._files.weights_sha256, "mmproj": self._files.mmproj_sha256}

    def find_leaks(
        self, questions: "Sequence[EvalQuestion]", folder: Path | None = None
    ) -> tuple[str, ...]:
        """Sentences that say which videos the model learnt from; nothing where none is known."""
        from vidcli.evaluate.leaks import find_leaks
        from vidcli.models.bundle import is_bundle, read_bundle

        home = self._files.weights.parent
        if not is_bundle(home):
            return ()
        videos = {question.video: "" for question in questions}
        for video in videos:
            with suppress(MediaError):  # is told when it is asked about
                videos[video] = _name_content(video)
        return find_leaks(read_bundle(home).history, videos, folder).sentences(len(videos))

    def run(
        self, questions: "Sequence[EvalQuestion]", mode: Mode, progress: "AnyProgress"
    ) -> Replied:
        """Put every question that has no reply yet.

        Args:
            questions: Those of one video must stand together.
            mode: What the model is shown.
            progress: Told after every video.

        Raises:
            ModelError: The model cannot be loaded.
            ResourceError: There is no memory for it.
            OSError: The replies cannot be kept.
        """
        replies: list[tuple[EvalQuestion, Prediction]] = []
        failed = done = 0
        progress(mode.value, 0, len(questions))
        for video, group in groupby(questions, key=lambda question: question.video):
            together = list(group)
            done += len(together)
            try:
                replies += self._ask_all(video, together, mode)
                progress(mode.value, done, len(questions))
            except OF_THE_VIDEO as error:
                if self._needs_model:
                    raise  # it cannot be loaded: no other video would fare better
                progress.clear()
                report_error(f"{video}: {error}", error.hint)
                failed += 1
        return Replied(replies, failed)

    def _ask_all(
        self, video: Path, questions: "Sequence[EvalQuestion]", mode: Mode
    ) -> "Iterator[tuple[EvalQuestion, Prediction]]":
        """Each question of one video with its reply, new or kept."""
        from vidcli.evaluate.predictions import Prediction

        fingerprint = _name_content(video)
        source: Footage | None = None
        for question in questions:
            asked, looking = self._compose(question), self._look(question)
            key = self._key(asked, looking, question.id, fingerprint, mode)
            found = self._predictions.find(key)
            if found is None:
                self._needs_model = self._bench is None
                bench = self._load()
                self._needs_model = False
                started = time.perf_counter()
                if mode is Mode.BLIND:
                    reply = _ask_blind(bench, asked)
                else:
                    source = source or self._watch(video, mode)
                    try:
                        reply = self._ask(bench, source, looking, asked, started)
                    except UsageError as error:
                        if question.span is None:
                            raise
                        raise MediaError(f"{question.id}: {error}") from error
                spent = time.perf_counter() - started
                found = Prediction(key, question.id, reply[0], round(spent, 4), *reply[1:])
                self._predictions.add(found)
                self.asked += 1
            yield question, found

    def _compose(self, question: "EvalQuestion") -> "Question":
        from vidcli.core.sampling import Sampling
        from vidcli.methods.ask import Question

        text = f"{question.text}\n{self._options.instruction}".strip()
        style = self._options.looking.prompt_style.value
        sampling = Sampling(max_tokens=self._options.max_tokens)
        choices = question.options if question.is_closed else ()
        return Question(text, choices, sampling=sampling, style=style)

    def _look(self, question: "EvalQuestion") -> Watching:
        """At the part of the video that a question is about."""
        looking, span = self._options.looking, question.span
        return looking if span is None else replace(looking, start=span.start, end=span.end)

    def _key(
        self, asked: "Question", looking: Watching, name: str, fingerprint: str, mode: Mode
    ) -> str:
        from vidcli.library.journal import digest_settings

        options = self._options
        task = Asking(name="eval", question=asked, looking=looking)
        shaped = describe_settings(task, options.loading, self._files)
        return digest_settings({**shaped, "id": name, "video": fingerprint, "mode": mode.value})

    def _load(self) -> Bench:
        if self._bench is None:
            notes = self._options.telling.notes
            self._bench = self._stack.enter_context(
                open_bench(self._options.loading, notes=notes, files=self._files)
            )
            self._bench.take_load_seconds()
        return self._bench

    def _watch(self, video: Path, mode: Mode) -> Footage:
        from vidcli.media.backwards import BackwardsVideo

        if self._open is None:
            self._open = self._stack.enter_context(open_videos())
        source = self._open(str(video))
        if mode is Mode.REVERSED:
            return replace(source, video=BackwardsVideo(source.video))
        return source

    def _ask(
        self,
        bench: Bench,
        source: Footage,
        looking: Watching,
        asked: "Question",
        started: float,
    ) -> tuple[str, int, int, str]:
        from vidcli.output.progress import NoProgress

        if choose_method(looking).runs:
            job = Job(
                loaded=bench, source=source, plan=None, fit=None, started=started,
                progress=NoProgress(), write=_leave_out, look_ahead=lambda: None,
                start=lambda plan, *, size: None, trace=None,
            )  # fmt: skip
            answer = answer_by_work(job, looking, asked)
        else:
            answer = answer_question(
                bench, source, looking, asked, started=started, progress=NoProgress(),
                write=_leave_out,
            )  # fmt: skip
        return answer.text, len(answer.frames), answer.usage.visual_tokens, answer.finish.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()


def _leave_out(_text: str) -> None:
    """Write nothing of an answer as it comes."""


def _ask_blind(bench: Bench, asked: "Question") -> tuple[str, int, int, str]:
    from vidcli.methods.blind import ask_blind

    made = ask_blind(bench.session, asked)
    return made.text.strip(), 0, 0, made.finish.value


def _name_content(video: Path) -> str:
    from vidcli.media.fingerprint import fingerprint

    try:
        return fingerprint(str(video))
    except FileNotFoundError as error:
        raise MediaError(f"{video} does not exist") from error
    except OSError as error:
        raise MediaError(f"{video} cannot be read: {error.strerror}") from error


def check_questions(questions: "Sequence[EvalQuestion]", kinds: Sequence[str]) -> None:
    """Refuse kinds that the set does not have.

    Raises:
        UsageError: It has none of that kind.
    """
    there = dict.fromkeys(question.kind for question in questions)
    for kind in kinds:
        if kind not in there:
            raise UsageError(
                f"the set has no question of the kind {kind!r}", hint=f"it has {', '.join(there)}"
            )
