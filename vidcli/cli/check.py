"""`vidcli check`: is a statement true of a video? The exit code says it."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from vidcli import settings
from vidcli.cli.ask import answer_each
from vidcli.cli.groups import Loading, Rehearsing, Telling, Watching, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import kept
from vidcli.cli.questions import Asking
from vidcli.core.results import Answer
from vidcli.core.sampling import Sampling
from vidcli.errors import ExitCode, UsageError
from vidcli.output.documents import check_document


@takes_groups
def check(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO... STATEMENT",
            help="Video files, directories, patterns or '-', then the statement, such as: a "
            "person is visible.",
            show_default=False,
        ),
    ],
    choosing: Choosing,
    looking: Watching,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
    threshold: Annotated[
        float, kept("threshold", "--threshold", panel=None)
    ] = settings.CHECK_THRESHOLD,
) -> None:
    """Tell whether a statement is true of a video: exit code 0 for yes, 1 for no.

    Prints yes or no and the probability of yes, so that it serves `if` and `find -exec`. Of
    several videos it must be true of each.
    """
    from vidcli.methods.ask import ask_check

    if len(words) < 2:
        raise UsageError(
            "a video and a statement are needed", hint='vidcli check VIDEO "a person is visible"'
        )
    *videos, statement = words
    if not statement.strip():
        raise UsageError("the statement is empty", hint='vidcli check VIDEO "a person is visible"')
    question = ask_check(statement, Sampling())

    def make_document(answer: Answer) -> dict[str, Any]:
        answer = replace(answer, question=statement)
        probability = probability_of_yes(answer)
        return check_document(answer, probability=probability, threshold=threshold)

    def decide(document: dict[str, Any]) -> dict[str, Any]:
        holds = document["probability"] >= threshold
        return {**document, "holds": holds, "threshold": threshold}

    task = Asking(
        name="check",
        question=question,
        looking=looking,
        make_document=make_document,
        finish=decide,
        rendering=f"{threshold}",
        streams=False,
        has_verdict=True,
        is_negative=lambda document: not document["holds"],
    )
    tally = answer_each(
        gather(videos, choosing),
        question,
        looking,
        loading,
        telling,
        rehearsing,
        keeping,
        task=task,
    )
    raise typer.Exit(ExitCode.NEGATIVE if tally.has_negative else ExitCode.OK)


def probability_of_yes(answer: Answer) -> float:
    """How likely the model's reply is yes, rather than no."""
    return next(choice.probability for choice in answer.choices if choice.text == "yes")
