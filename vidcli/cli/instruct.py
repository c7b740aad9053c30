"""`vidcli data instruct`: questions and answers about videos, made from what is known in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.groups import Loading, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.instruct_options import Composing, Reading
from vidcli.cli.keeping import Collecting, Summing
from vidcli.cli.options import OUTPUT, VideosArgument
from vidcli.output.instructions import RowForm

if TYPE_CHECKING:
    pass


@takes_groups
def instruct(
    videos: VideosArgument,
    choosing: Choosing,
    reading: Reading,
    composing: Composing,
    loading: Loading,
    telling: Summing,
    collecting: Collecting,
    form: Annotated[
        RowForm,
        typer.Option("--format", help="Whose shape rows have.", rich_help_panel=OUTPUT),
    ] = RowForm.LLAVA,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say what is known of each video; write nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
) -> None:
    """Make questions and answers about videos from captions, speech and on-screen text.

    A language model, which need not see, describes each video from what is known of it, asks
    questions of several kinds, answers them, and judges whether the answers follow. Rows can be
    tuned on as they are. A run that was stopped goes on where it was.
    """
    from vidcli.cli.instructing import instruct_each
    from vidcli.cli.instruction_plan import list_sources

    instructing = composing.choose_instructing()
    reading.choose_window()  # before any file is opened
    inputs = gather(videos, choosing)
    if dry_run:
        list_sources(inputs, reading, instructing, telling)
    else:
        instruct_each(
            inputs, reading, instructing, loading, telling, collecting, form, composing.rejects
        )
