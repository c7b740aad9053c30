"""`vidcli chat`: many questions about one video, which is encoded once."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli import asking
from vidcli.cli.build import Bench, import_engine, open_bench
from vidcli.cli.choosing import as_taught
from vidcli.cli.footage import Footage, open_videos
from vidcli.cli.groups import Loading, Looking, Telling, Writing, takes_groups
from vidcli.cli.lines import is_attended, line_editing, read_line
from vidcli.cli.mixed_talk import open_mixing, settle_mixing
from vidcli.cli.options import LOOKING, OUTPUT, VideoArgument
from vidcli.cli.terminal import (
    Notes,
    report_error,
    report_interrupt,
    write_document,
    write_out,
)
from vidcli.core.files import atomic_write
from vidcli.core.results import Answer, Delta, Timings
from vidcli.core.sampling import Sampling
from vidcli.core.time import format_time, parse_time
from vidcli.core.tool_text import Mode
from vidcli.errors import UsageError, VidcliError

if TYPE_CHECKING:
    from vidcli.methods.converse import Conversation
    from vidcli.methods.mixed import Mixing
    from vidcli.methods.watch import Watched

PROMPT = "> "
HISTORY_SHARE = 4  # one part in so many of the context is kept for what is said
HELP = """\
/at TIME [QUESTION]  look closer around a time, and ask about it
/frames              list the frames the model sees
/save FILE           write the conversation to a .md or .json file
/help                this
/quit                end; so does Ctrl-D
"""


@takes_groups
def chat(
    video: VideoArgument,
    looking: Looking,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    mode: Annotated[
        Mode | None,
        typer.Option(
            help="Answer from what tools found, in words; from the frames alone, with their times; "
            "from both; or from what is said, then the frames.  [default: the frames as the "
            "model's family wants them]",
            rich_help_panel=LOOKING,
        ),
    ] = None,
    subtitles: Annotated[
        str | None,
        typer.Option(
            metavar="auto|none|whisper|FILE",
            help="With --mode text, hybrid or transcript, what is said: subtitles, else Whisper "
            "where it is there; nothing; Whisper; or a file.  [default: auto]",
            rich_help_panel=LOOKING,
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --mode, write everything the model is shown to a JSON file.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Talk about a video; each question costs only its own tokens.

    Lines come from the terminal or from a pipe. /help lists what else a line can be.
    """
    from vidcli.methods.ask import Question
    from vidcli.methods.converse import Conversation
    from vidcli.output.progress import open_progress

    wish = settle_mixing(mode, subtitles, trace)

    sampling = writing.sampling()
    looking = as_taught(looking, loading.model)
    with open_videos(video) as open_video, ExitStack() as stack:
        import_engine()
        source = open_video(video)
        bench = stack.enter_context(open_bench(loading, notes=telling.notes))
        with open_progress(quiet=telling.quiet) as progress:
            if wish is not None:
                mixed = open_mixing(wish, bench, source, looking, sampling, progress=progress)
                talk = Talk(bench, source, mixed.seen, mixed.conversation, sampling, telling)
                if wish.mode.tells:
                    talk.warn(bench.doubts)
                talk.begin(mixed.say_sections())
                return
            seen = asking.look(
                bench,
                source,
                looking,
                Question("", sampling=sampling),
                timings=Timings(),
                progress=progress,
                reserve=max(sampling.max_tokens, bench.session.n_ctx // HISTORY_SHARE),
            )
        conversation = Conversation(
            bench.session, seen.watched, seen.video, method=seen.fit.plan.rule
        )
        talk = Talk(bench, source, seen, conversation, sampling, telling)
        talk.begin()


@dataclass(slots=True)
class Talk:
    """A conversation line by line.

    Attributes:
        bench: With the loaded model.
        source: The opened video.
        seen: The first look at it.
        conversation: What was said, and what the model sees.
        sampling: How answers are written.
        telling: What is said beside them.
        answers: Complete answers, oldest first.
        warned: What a reader was warned of already.
    """

    bench: Bench
    source: Footage
    seen: asking.Look
    conversation: "Conversation | Mixing"
    sampling: Sampling
    telling: Telling
    answers: list[Answer] = field(default_factory=list)
    warned: set[str] = field(default_factory=set)

    def begin(self, notes: Iterable[str] = ()) -> None:
        """Say what the model sees, and what else it is told, then take lines."""
        from vidcli.output.tables import say_coverage

        self.warn(self.standing_warnings())
        self.telling.notes.tell(say_coverage(self.seen.watched.coverage))
        for note in notes:
            self.telling.notes.tell(note)
        with line_editing("chat"):
            self.run()

    def standing_warnings(self) -> tuple[str, ...]:
        """What holds for every answer: about the video, the model and the caches."""
        video = (*self.seen.warnings, *self.conversation.watched.warnings)
        return tuple(dict.fromkeys((*video, *self.bench.all_warnings())))

    def warn(self, warnings: Iterable[str]) -> None:
        """Say each warning, and none twice in one conversation."""
        for warning in warnings:
            if warning not in self.warned:
                self.telling.notes.warn(warning)
        self.warned.update(warnings)

    def run(self) -> None:
        """Take lines until there are no more, or /quit.

        Where a person types, what goes wrong is told and the talk goes on; in a pipe it ends it.
        """
        while True:
            try:
                line = read_line(PROMPT)
                if line is None or line.strip() in ("/quit", "/exit"):
                    return
                if line.strip():
                    self.take(line.strip())
            except VidcliError as error:
                if not is_attended():
                    raise
                report_error(str(error), error.hint)
            except KeyboardInterrupt:
                if not is_attended():
                    raise
                report_interrupt()

    def take(self, line: str) -> None:
        """Answer a question, or do what a command asks.

        Raises:
            UsageError: There is no such command, or what it was given makes no sense.
        """
        if not line.startswith("/"):
            self.answer(line)
            return
        command, _, rest = line.partition(" ")
        rest = rest.strip()
        if command == "/at":
            self.look_closer(rest)
        elif command == "/frames":
            self.list_frames()
        elif command == "/save":
            self.save(rest)
        elif command == "/help":
            for row in HELP.splitlines():
                Notes().tell(row)  # asked for, so even under --quiet
        else:
            raise UsageError(f"there is no command {command}", hint="/help lists them")

    def answer(self, question: str) -> None:
        """Answer a question in the light of what was said before."""
        from vidcli.output.documents import answer_document
        from vidcli.output.progress import open_progress

        with (
            open_progress(quiet=self.telling.quiet) as progress,
            asking.streamed_answer(silent=self.telling.json) as write,
        ):
            for piece in self.conversation.ask(question, self.sampling, progress=progress):
                progress.clear()
                if isinstance(piece, Delta):
                    write(piece.text)
                else:
                    answer = piece
        standing = self.standing_warnings()
        own = [warning for warning in answer.warnings if warning not in standing]
        self.answers.append(replace(answer, warnings=(*standing, *own)))
        if self.telling.json:
            write_document(answer_document(self.answers[-1]))
        self.warn(standing)
        for warning in own:
            self.telling.notes.warn(warning)
        if answer.mixture is not None and self.telling.verbose:
            from vidcli.output.tables import say_mixture

            for line in say_mixture(answer.mixture):
                self.telling.notes.detail(line)

    def look_closer(self, text: str) -> None:
        """Add frames around a time to what the model sees; answer the question after it, if any.

        Raises:
            UsageError: It is no time, or not one of this video.
        """
        from vidcli.methods.near import merge_looks, plan_near
        from vidcli.methods.watch import watch
        from vidcli.output.progress import open_progress
        from vidcli.output.tables import say_coverage

        if not self.conversation.shows_frames:
            raise UsageError(
                "/at shows frames, and --mode text shows none",
                hint="start again with --mode hybrid",
            )
        when, _, question = text.partition(" ")
        span = self.seen.fit.plan.span
        try:
            moment = parse_time(when)
        except ValueError as error:
            raise UsageError(str(error), hint="/at 1:20") from error
        if moment not in span:
            raise UsageError(
                f"{format_time(moment)} is not between {format_time(span.start)} and "
                f"{format_time(span.end)}"
            )
        size = self.seen.fit.size
        seen_times = [frame.time.seconds for frame in self.conversation.watched.frames]
        with (
            open_progress(quiet=self.telling.quiet) as progress,
            self.bench.open_store(self.seen.video, size) as store,
        ):
            closer = watch(
                self.source,
                self.bench.session,
                plan_near(moment, span, seen_times),
                size=size,
                store=store,
                timings=Timings(),
                progress=progress,
            )
        self.conversation.look_at(self.fit(merge_looks(self.conversation.watched, closer)))
        self.telling.notes.tell(say_coverage(self.conversation.watched.coverage))
        if question.strip():
            self.answer(question.strip())

    def fit(self, watched: "Watched") -> "Watched":
        """Leave out frames until the context holds them beside an answer."""
        from vidcli.methods.near import drop_images

        fit = self.seen.fit
        room = (fit.free_cells // fit.group_cells) + fit.n_groups
        fitting = drop_images(watched, most=max(1, room))
        dropped = len(watched.images) - len(fitting.images)
        if dropped:
            self.telling.notes.warn(f"{dropped} earlier frames were left out to fit the context")
        return fitting

    def list_frames(self) -> None:
        """List the frames the model sees."""
        from vidcli.output.plain import align

        watched = self.conversation.watched
        rows = [
            (
                str(frame.id),
                format_time(frame.time.seconds, decimals=2),
                frame.reason,
                f"{n_tokens} tokens",
            )
            for frame, n_tokens in zip(watched.frames, watched.frame_tokens, strict=True)
        ]
        if self.telling.json:
            for row in align(rows, right=(0, 1, 3)).splitlines():
                self.telling.notes.tell(row)
        else:
            write_out(align(rows, right=(0, 1, 3)))

    def save(self, name: str) -> None:
        """Write the conversation to a file: JSON where its name ends in .json, else Markdown.

        Raises:
            UsageError: No file is named, or it cannot be written.
        """
        from vidcli.output.accounts import chat_document, chat_markdown
        from vidcli.output.documents import write_json

        if not name:
            raise UsageError("no file is named", hint="/save talk.md")
        path = Path(name).expanduser()
        text = (
            write_json(chat_document(self.answers), indent=True)
            if path.suffix == ".json"
            else chat_markdown(self.answers)
        )
        try:
            with atomic_write(path) as file:
                file.write(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
        self.telling.notes.tell(f"saved to {path}")
