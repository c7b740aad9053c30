"""`vidcli data narrate`: clips of videos told by the model, as rows to train on."""

from typing import TYPE_CHECKING, Annotated

import typer

from vidcli.cli.groups import Loading, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Collecting, Summing
from vidcli.cli.narrate_options import Cutting, Drawing, Sifting, choose_narrating
from vidcli.cli.options import (
    OUTPUT,
    VideosArgument,
)

if TYPE_CHECKING:
    pass


@takes_groups
def narrate(
    videos: VideosArgument,
    choosing: Choosing,
    cutting: Cutting,
    drawing: Drawing,
    sifting: Sifting,
    loading: Loading,
    telling: Summing,
    collecting: Collecting,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say how many clips and how long; tell nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
) -> None:
    """Let the model tell what happens in every clip of videos, to train on.

    Clips slide over each video; for each, several sentences are drawn and sifted, and the best
    reworded. Rows are narrations: 'train pretrain' reads them as they are. A run that was stopped
    goes on where it was.
    """
    from vidcli.cli.narrating import narrate_each
    from vidcli.cli.narration_plan import rehearse_each

    cutting.choose_stride()  # before any file is opened
    narrating = choose_narrating(drawing, sifting)
    inputs = gather(videos, choosing)
    if dry_run:
        rehearse_each(inputs, cutting, narrating, loading, telling)
    else:
        narrate_each(inputs, cutting, narrating, loading, telling, collecting, sifting.rejects)
