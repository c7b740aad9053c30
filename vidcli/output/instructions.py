"""Instructions as rows of the data sets that people train on."""

from enum import StrEnum
from pathlib import PurePath
from typing import Any

from vidcli.output.documents import Document

MARKER = "<video>"


class RowForm(StrEnum):
    """Whose shape rows have."""

    LLAVA = "llava"
    VIDEOINSTRUCT = "videoinstruct"
    MESSAGES = "messages"


def instruction_row(
    form: RowForm, *, name: str, video: str, question: str, answer: str, about: Document
) -> Document:
    """One question and answer.

    Args:
        form: Whose shape.
        name: Of the row, like no other's.
        video: What the row calls the video.
        question: Without a marker.
        answer: To it.
        about: Where it comes from: further fields, of any shape.
    """
    row: dict[str, Any] = {"id": name}
    if form is RowForm.LLAVA:
        row["video"] = video
        row["conversations"] = [
            {"from": "human", "value": f"{MARKER}\n{question}"},
            {"from": "gpt", "value": answer},
        ]
    elif form is RowForm.VIDEOINSTRUCT:
        row |= {"q": question, "a": answer, "video_id": PurePath(video).stem}
    else:
        row["messages"] = [
            {"role": "user", "content": f"{MARKER}{question}"},
            {"role": "assistant", "content": answer},
        ]
        row["videos"] = [video]
    return {**row, **about}
