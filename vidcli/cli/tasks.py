"""What a run asks of every video, and what becomes of the answer."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidcli.cli.groups import Loading, Looking
from vidcli.core.model import ModelFiles
from vidcli.core.results import Answer
from vidcli.output.documents import Document, answer_document, caption_document

if TYPE_CHECKING:
    from vidcli.methods.ask import Question

ANSWERS_VERSION = 1  # raised when the same settings come to mean another answer


def _as_is(document: Document) -> Document:
    return document


@dataclass(frozen=True, slots=True)
class Task:
    """One question to any number of videos.

    Attributes:
        name: Of the command.
        question: What the model is asked.
        make_document: Makes the JSON document of an answer.
        finish: Decides what is decided without the model, such as a threshold; documents of
            earlier runs come through here too.
        rendering: Names what `finish` depends on.
        streams: Whether the text can be written while the model makes it.
        is_negative: Whether a document means exit code 1.
    """

    name: str
    question: "Question"
    make_document: Callable[[Answer], Document] = answer_document
    finish: Callable[[Document], Document] = _as_is
    rendering: str = ""
    streams: bool = True
    is_negative: Callable[[Document], bool] = lambda _document: False

    @property
    def has_verdict(self) -> bool:
        """Whether the exit code is the answer, whoever reads the words."""
        return not self.streams


def caption_task(question: "Question") -> Task:
    """The task of `vidcli caption`."""
    return Task("caption", question, make_document=caption_document)


def describe_settings(
    task: Task, looking: Looking, loading: Loading, files: ModelFiles
) -> dict[str, Any]:
    """Everything that shapes an answer; threads, devices and caches do not."""
    question: Mapping[str, Any] = dataclasses.asdict(task.question)
    return {
        "version": ANSWERS_VERSION,
        "task": task.name,
        "question": {**question, "choices": list(task.question.choices)},
        "looking": {
            field.name: _plain(getattr(looking, field.name))
            for field in dataclasses.fields(looking)
        },
        "detail": loading.detail.value,
        "n_ctx": loading.n_ctx,
        "weights": files.weights_sha256,
        "mmproj": files.mmproj_sha256,
    }


def _plain(value: Any) -> str | int | float | None:
    return value if isinstance(value, int | float | None) else str(value)
