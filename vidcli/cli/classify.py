"""`vidcli classify`: which of some labels fit a video, and how likely each is."""

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidcli.cli import asking
from vidcli.cli.ask import answer_each
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading, Rehearsing, Telling, Watching, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import OUTPUT, VideosArgument
from vidcli.cli.questions import Asking
from vidcli.cli.rehearse import write_steps
from vidcli.cli.tasks import Job
from vidcli.cli.watching import refuse_method
from vidcli.core.protocols import Progress
from vidcli.core.results import Answer, Timings
from vidcli.core.summary import TracedStep
from vidcli.errors import UsageError

if TYPE_CHECKING:
    from vidcli.methods.ask import Question
    from vidcli.methods.watch import Fit

LABEL = "{label}"
EXAMPLE = "--labels cooking,sports,news"


@takes_groups
def classify(
    videos: VideosArgument,
    choosing: Choosing,
    looking: Watching,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C|FILE",
            help="The labels, or a text file with one a line.",
            show_default=False,
        ),
    ] = None,
    multi: Annotated[
        bool,
        typer.Option("--multi", help="Judge each label by itself: any number may fit."),
    ] = False,
    question: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What is asked; with --multi, {label} stands for each label.",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Give out the N likeliest only.  [default: all]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Tell which of some labels fits a video, with a probability for each.

    One line a label, the likeliest first. Nothing is generated: the probabilities are those of the
    labels as the model's reply, and add up to 1; with --multi each is the probability of yes.
    """
    from vidcli.methods.classify import WHETHER, WHICH, ask_whether, ask_which
    from vidcli.output.classification import classification_document, keep_top

    names = read_labels(labels, fewest=1 if multi else 2)
    text = check_question(question, WHETHER if multi else WHICH, multi=multi)
    asked = ask_whether(max(names, key=len), text) if multi else ask_which(names, text)
    task = Classifying(
        name="classify",
        question=asked,
        looking=looking,
        labels=names,
        text=text,
        is_multi=multi,
        make_document=lambda answer: classification_document(answer, multi=multi),
        finish=lambda document: document if top is None else keep_top(document, top),
        rendering=f"{top}",
        streams=False,
    )
    refuse_method(looking, "classify")
    inputs = gather(videos, choosing)
    answer_each(inputs, asked, looking, loading, telling, rehearsing, keeping, task=task)


@dataclass(frozen=True, kw_only=True)
class Classifying(Asking):
    """Labels for any number of videos.

    Attributes:
        labels: In the order given.
        text: What is asked; of each label where `is_multi`.
        is_multi: Whether each label is judged by itself.
    """

    labels: tuple[str, ...]
    text: str
    is_multi: bool = False

    def describe(self) -> dict[str, Any]:
        """Everything that shapes the probabilities."""
        told = {"labels": list(self.labels), "text": self.text, "multi": self.is_multi}
        return super().describe() | told

    def word(self, bench: Bench) -> "Question":
        """The question in the words that are asked for: it makes no sense without its labels."""
        return self.worded

    def rehearse(
        self, bench: Bench, source: Footage, telling: Telling, progress: Progress | None = None
    ) -> None:
        """Say what the probabilities would take."""
        super().rehearse(bench, source, telling, progress)
        if self.is_multi and len(self.labels) > 1:
            times = len(self.labels)
            telling.notes.tell(f"{times} labels: their question is prefilled {times} times")

    def reply(self, job: Job, fit: "Fit") -> Answer:
        """Look at what fits the context, and judge every label."""
        if not self.is_multi:
            return super().reply(job, fit)
        from vidcli.methods.classify import judge_labels

        timings = Timings(load=job.bench.take_load_seconds())
        seen = asking.look(
            job.bench,
            job.source,
            self.looking,
            self.question,
            timings=timings,
            progress=job.progress,
            fit=fit,
        )
        job.look_ahead()
        steps: list[TracedStep] = []
        answer = judge_labels(
            job.bench.session,
            seen.watched,
            self.labels,
            text=self.text,
            video=seen.video,
            timings=timings,
            approach=replace(seen.fit.approach, encoded=seen.watched.encoded),
            method=asking.name_method(seen.fit),
            warnings=seen.warnings,
            progress=job.progress,
            record=steps.append if job.trace is not None else None,
        )
        if job.trace is not None:
            write_steps(job.trace, job.source, job.bench, steps)
        notes = dict.fromkeys((*answer.warnings, *job.bench.all_warnings()))
        timings = replace(answer.timings, total=time.perf_counter() - job.started)
        return replace(answer, warnings=tuple(notes), timings=timings)


def read_labels(given: str | None, *, fewest: int) -> tuple[str, ...]:
    """The labels that `--labels` names, each once.

    Args:
        given: Labels with commas between them, or the name of a file with one a line.
        fewest: So many there must be.

    Raises:
        UsageError: There are too few, or the file cannot be read.
    """
    if given is None:
        raise UsageError("labels are needed", hint=f"vidcli classify VIDEO {EXAMPLE}")
    parts = read_label_file(given) if is_file_name(given) else given.split(",")
    labels = tuple(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))
    if len(labels) < fewest:
        what = "one label" if fewest == 1 else "two different labels"
        raise UsageError(f"--labels needs at least {what}", hint=EXAMPLE)
    return labels


def is_file_name(given: str) -> bool:
    """Whether `--labels` means a file: one that is there, or what no label looks like."""
    return os.path.isfile(given) or ("," not in given and given.endswith((".txt", ".csv")))


def read_label_file(path: str) -> list[str]:
    """Labels of a text file, one a line.

    Raises:
        UsageError: It cannot be read, or is no text.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read().splitlines()
    except OSError as error:
        raise UsageError(
            f"--labels {path}: {error.strerror or error}", hint="name a text file, or write a,b,c"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--labels {path} is no UTF-8 text", hint="one label a line") from error


def check_question(given: str | None, usual: str, *, multi: bool) -> str:
    """What is asked.

    Raises:
        UsageError: It is empty, or does not say where each label stands.
    """
    if given is None:
        return usual
    if not given.strip():
        raise UsageError("the question is empty", hint='--question "Which sport is it?"')
    if multi and LABEL not in given:
        raise UsageError(
            "--question does not say where each label stands",
            hint=f'--multi --question "Is there {LABEL} in the video?"',
        )
    return given
