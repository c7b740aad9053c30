"""`vidcli check`: is a statement true of a video? The exit code says it."""

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer

from vidcli import settings
from vidcli.cli import asking
from vidcli.cli.build import import_engine, open_bench
from vidcli.cli.footage import open_videos
from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, takes_groups
from vidcli.cli.options import VideoArgument
from vidcli.cli.rehearse import rehearse, write_trace
from vidcli.cli.terminal import ReaderGoneError, write_document, write_out
from vidcli.core.results import Answer
from vidcli.core.sampling import Sampling
from vidcli.errors import ExitCode, UsageError


@takes_groups
def check(
    video: VideoArgument,
    statement: Annotated[
        str, typer.Argument(metavar="STATEMENT", help="Such as: a person is visible.")
    ],
    looking: Looking,
    loading: Loading,
    telling: Telling,
    rehearsing: Rehearsing,
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Probability of yes from which the statement holds."),
    ] = settings.CHECK_THRESHOLD,
) -> None:
    """Tell whether a statement is true of a video: exit code 0 for yes, 1 for no.

    Prints yes or no and the probability of yes, so that it serves `if` and `find -exec`.
    """
    from vidcli.methods.ask import ask_check
    from vidcli.output.documents import check_document
    from vidcli.output.progress import open_progress

    if not statement.strip():
        raise UsageError("the statement is empty", hint='vidcli check VIDEO "a person is visible"')
    question = ask_check(statement, Sampling())
    started = time.perf_counter()
    with open_videos(video) as open_video, ExitStack() as stack:
        import_engine()
        source = open_video(video)
        bench = stack.enter_context(open_bench(loading, quiet=telling.quiet))
        progress = open_progress(quiet=telling.quiet)
        stack.callback(progress.clear)
        if rehearsing.dry_run:
            rehearse(bench, source, looking, question, telling)
            return
        answer, seen = asking.answer_question(
            bench,
            source,
            looking,
            question,
            started=started,
            progress=progress,
            write=lambda _text: None,
        )
        if rehearsing.trace is not None:
            write_trace(rehearsing.trace, bench, seen, question)
    answer = replace(answer, question=statement)
    probability = probability_of_yes(answer)
    holds = probability >= threshold
    try:
        if telling.json:
            document = check_document(answer, probability=probability, threshold=threshold)
            write_document(document)
        else:
            write_out(f"{'yes' if holds else 'no'} {probability:.3f}\n")
    except ReaderGoneError:
        pass  # the exit code is the answer, whoever reads the words
    asking.tell_evidence(answer, telling.notes)
    raise typer.Exit(ExitCode.OK if holds else ExitCode.NEGATIVE)


def probability_of_yes(answer: Answer) -> float:
    """How likely the model's reply is yes, rather than no."""
    return next(choice.probability for choice in answer.choices if choice.text == "yes")
