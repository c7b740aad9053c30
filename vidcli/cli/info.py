"""`vidcli info`: what a video file is."""

from vidcli.cli.footage import open_videos
from vidcli.cli.inputs import each_input
from vidcli.cli.options import JsonOption, VideosArgument
from vidcli.cli.terminal import write_document, write_out, write_table


def info(videos: VideosArgument, json: JsonOption = False) -> None:
    """Show what a video file is: duration, picture, streams, chapters.

    What the file does not say is unknown, never guessed.
    """
    from vidcli.output.documents import info_document
    from vidcli.output.tables import info_rows

    written = 0

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
        each_input(videos, show, json=json)
