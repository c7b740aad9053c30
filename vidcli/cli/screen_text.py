"""The task of `read`: what is looked at, and which of the texts found are given out."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vidcli.cli.asking import describe
from vidcli.cli.footage import Footage
from vidcli.cli.tasks import Job, Made, ToolTask
from vidcli.core.protocols import Progress, TextReader
from vidcli.core.time import Span
from vidcli.output.documents import Document
from vidcli.output.screen_text import say_screen, screen_document
from vidcli.output.tool_plans import ToolPlan


@dataclass(frozen=True, kw_only=True)
class ReadTask(ToolTask):
    """The text on the screen of any number of videos.

    Attributes:
        reader: Names the reader, and what it is told.
        open_reader: Loads it, the first time.
        step: Seconds from one look to the next.
        least_confidence: A line that the reader is less sure of is left out, 0 to 1.
        least_letters: A line of fewer letters and digits is left out.
    """

    reader: str
    open_reader: Callable[[], TextReader]
    step: Fraction
    least_confidence: float
    least_letters: int

    def describe(self) -> dict[str, Any]:
        """Everything of the task that shapes what is read."""
        return {
            "reader": self.reader,
            "step": str(self.step),
            "least_confidence": self.least_confidence,
            "least_letters": self.least_letters,
        }

    def plan(self, source: Footage, *, progress: Progress | None = None) -> Span:
        """The part of the video to read."""
        from vidcli.media.plan import choose_span

        return choose_span(source.info, start=self.looking.start, end=self.looking.end)

    def answer(self, job: Job) -> Made:
        """Read one video."""
        from vidcli.methods.screen_text import Reading, read_screen

        span = job.plan or self.plan(job.source)
        options = Reading(span, self.step, self.least_confidence, self.least_letters)
        started = time.perf_counter()
        report = read_screen(
            job.source, describe(job.source), self.open_reader(), options, progress=job.progress
        )
        document = screen_document(report)
        return Made(
            document=document,
            evidence=say_screen(document),
            warnings=report.warnings,
            details=(f"read in {time.perf_counter() - started:.1f} s",),
        )

    def foresee(self, source: Footage, progress: Progress | None = None) -> ToolPlan:
        """How many pictures would be looked at; one is read to measure it.

        Raises:
            MediaError: It cannot be decoded.
        """
        from vidcli.methods.screen_text import plan_looks, time_look

        span = self.plan(source)
        looks = plan_looks(span, self.step)
        look_s = time_look(source, self.open_reader(), looks)
        return ToolPlan(
            video=describe(source), command=self.name, span=span, tool=self.reader,
            unit="pictures", amount=len(looks.frames), unit_s=look_s, is_most=True,
            warnings=source.warnings,
        )  # fmt: skip


def keep_matching(document: Document, pattern: "re.Pattern[str]") -> Document:
    """The document with those texts alone in which the pattern is found."""
    texts = [text for text in document["texts"] if pattern.search(text["text"])]
    return {**document, "texts": texts}
