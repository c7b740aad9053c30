"""What a method that does the whole work itself is handed, and what it gives back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from vidcli.core.media import FramePlan
from vidcli.core.protocols import FrameSource, Progress, Session, TokenStore
from vidcli.core.results import Answer, Approach, Delta, Timings, VideoReport
from vidcli.core.time import Span
from vidcli.methods.ask import Question

OpenStore = Callable[[tuple[int, int]], AbstractContextManager[TokenStore | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One question about one video, for a method of `methods.registry` that `runs`.

    Attributes:
        session: The loaded model.
        source: The opened video.
        span: The part of it to look at.
        plan: The instants that `--frames` and its like choose; one a second where nothing is said.
        question: What is asked.
        video: Facts about the video.
        options: The method's parameters, all of them.
        approach: To be put into the answer, with what the method adds.
        open_store: Visual tokens kept of this video at one frame size.
        timings: To be added to, phase by phase.
        warnings: To be put into the answer, with those of its own.
        progress: To be told what is done.
        tools: What the command line built for the method, by name.
        record: Takes entries for `--trace`, each ready to be written as JSON.
    """

    session: Session
    source: FrameSource
    span: Span
    plan: FramePlan
    question: Question
    video: VideoReport
    options: Mapping[str, int | str]
    approach: Approach
    open_store: OpenStore
    timings: Timings
    warnings: tuple[str, ...] = ()
    progress: Progress | None = None
    tools: Mapping[str, Any] = field(default_factory=dict)
    record: Callable[[dict[str, Any]], None] = lambda _entry: None


class Answerer(Protocol):
    """The function that `Method.runs` names."""

    def __call__(self, work: Work) -> Iterator[Delta | Answer]:
        """Answer: pieces of text as they come, then the whole answer with its evidence.

        Raises:
            VidcliError: It cannot be answered; a model that cannot serve the method is refused
                with the reason.
        """
