"""`vidcli data instruct --dry-run`: what is known of each video, found without any model."""

from collections import Counter
from typing import TYPE_CHECKING

from vidcli.cli.footage import open_videos
from vidcli.cli.groups import Telling
from vidcli.cli.inputs import Inputs, each_input
from vidcli.cli.instruct_options import Reading
from vidcli.cli.instructing import open_sources
from vidcli.cli.terminal import write_document, write_table
from vidcli.output.datasets import PLAN_COLUMNS, instruct_plan_document, instruct_plan_rows
from vidcli.output.documents import Document

if TYPE_CHECKING:
    from vidcli.methods.instruct import Instructing


def list_sources(
    inputs: Inputs, reading: Reading, instructing: "Instructing", telling: Telling
) -> None:
    """Say what is known of each video, and how many questions it is good for.

    Raises:
        VidcliError: The only video failed.
        PartialFailure: Some of several videos failed; the plan speaks of the others.
    """
    from vidcli.media.plan import choose_span
    from vidcli.methods.context import order_notes
    from vidcli.methods.windows import slide

    videos: list[Document] = []
    with open_videos() as open_video:
        sources = open_sources(inputs, reading)

        def find(path: str) -> None:
            source = open_video(path)
            found, warnings = sources.find(source, path)
            for warning in (*source.warnings, *warnings):
                telling.notes.warn(f"{path}: {warning}")
            kinds = Counter(note.kind.value for note in order_notes(found))
            window = reading.choose_window()
            clips = slide(choose_span(source.info), window=window, stride=window)
            n_clips = len(clips) if reading.watch else 0
            questions = 1 + instructing.per_task * len(instructing.tasks)
            is_known = bool(kinds) or reading.watch
            videos.append(
                {
                    "path": path,
                    "sources": {name: kinds[name] for name in ("caption", "speech", "screen")},
                    "clips_to_caption": n_clips,
                    "questions": questions if is_known else 0,
                }
            )

        try:
            each_input(inputs, find, json=False)
        finally:
            if telling.json:
                write_document(instruct_plan_document(videos))
            elif videos:
                rows = instruct_plan_rows(videos)
                write_table(rows, columns=PLAN_COLUMNS, right=(0, 1, 2, 3, 4))
