"""`vidcli info`: what a video file is."""

from vidcli.cli.footage import open_videos
from vidcli.cli.groups import takes_groups
from vidcli.cli.inputs import Choosing, each_input, gather
from vidcli.cli.options import JsonOption, VideosArgument
from vidcli.cli.terminal import write_document, write_out, write_table


@takes_groups
def info(videos: VideosArgument, choosing: Choosing, json: JsonOption = False) -> None:
    """Show what a video file is: duration, picture, streams, chapters.

    What the file does not say is unknown, never guessed.
    """
    from vidcli.output.documents import info_document
    from vidcli.output.tables import info_rows

    inputs, written = gather(videos, choosing), 0

    def show(path: str) -> None:
        nonlocal written
        found = open_video(path).info
        if json:
            write_document(info_document(found))
            return
        write_out("\n" if written else "")
        write_table(info_rows(found))
        written += 1

    with open_videos() as open_video:
        each_input(inputs, show, json=json)
