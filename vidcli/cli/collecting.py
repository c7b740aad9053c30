"""A run over videos whose results are rows: each content once, each failure told, the rest done."""

from abc import ABC, abstractmethod
from collections import Counter
from contextlib import ExitStack

from vidcli.cli.footage import Footage, open_videos
from vidcli.cli.groups import Telling
from vidcli.cli.inputs import Inputs, each_input
from vidcli.cli.keeping import Collecting
from vidcli.errors import VidcliError
from vidcli.output.documents import Document, error_document
from vidcli.output.progress import AnyProgress, open_progress


class RowRun(ABC):
    """All videos of one command.

    Args:
        stack: Closes what the run opens.
        telling: What is said.
        collecting: Where rows go; which part of the run is ours.

    Attributes:
        videos: By outcome: `done`, `failed`, `copies` of others, `elsewhere` in another shard.
        failures: Documents `error`.
    """

    def __init__(self, stack: ExitStack, telling: Telling, collecting: Collecting) -> None:
        self._stack = stack
        self._telling = telling
        self._collecting = collecting
        self._open_video = stack.enter_context(open_videos())
        self._progress: AnyProgress = open_progress(quiet=telling.quiet)
        stack.callback(self._progress.clear)
        self._done: set[str] = set()
        self.videos: Counter[str] = Counter()
        self.failures: list[Document] = []

    def run(self, inputs: Inputs) -> None:
        """Work on every video; the summary comes however it ends.

        Raises:
            VidcliError: The only video failed, or what failed would fail for every other too.
            PartialFailure: Some of several videos failed.
        """
        try:
            each_input(inputs, self._attempt, json=False, fail_fast=self._collecting.fail_fast)
        finally:
            self._progress.clear()
            self.summarize(len(inputs.files))

    @abstractmethod
    def work(self, source: Footage, path: str) -> None:
        """Do the work on one video.

        Raises:
            VidcliError: It cannot be done.
        """

    @abstractmethod
    def summarize(self, total: int) -> None:
        """Say how the run over `total` inputs went."""

    @abstractmethod
    def skip(self, path: str) -> None:
        """Take note that a video is an input and is not worked on, whatever the reason."""

    def _attempt(self, path: str) -> None:
        try:
            outcome = self._try(path)
        except VidcliError as error:
            self.skip(path)
            self._progress.clear()
            self.videos["failed"] += 1
            self.failures.append(error_document(path, error))
            raise
        self.videos[outcome] += 1

    def _try(self, path: str) -> str:
        source = self._open_video(path)
        fingerprint, shard = source.fingerprint, self._collecting.shard
        if shard is not None and not shard.has(fingerprint):
            self.skip(path)
            return "elsewhere"
        if fingerprint in self._done:
            self.skip(path)
            self._warn(f"{path} has the content of a video before it: left out")
            return "copies"
        self.work(source, path)
        self._done.add(fingerprint)
        return "done"

    def _warn(self, text: str) -> None:
        self._progress.clear()
        self._telling.notes.warn(text)

    def _show_progress(self, unit: str, done: int, total: int) -> None:
        self._progress(f"video {sum(self.videos.values()) + 1}: {unit}", done, total)
