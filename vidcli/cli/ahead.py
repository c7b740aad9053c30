"""The next videos of a run, got ready while the model works on this one.

In a thread of its own each is named by its content, looked up in the journal, probed, and its
frames are chosen; a further thread decodes the very next one.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from vidcli.cli.footage import Footage
from vidcli.cli.listing import Input
from vidcli.cli.tasks import Task
from vidcli.errors import MediaError, VidcliError

if TYPE_CHECKING:
    from vidcli.library.journal import Record
    from vidcli.media.ahead import AheadVideo
    from vidcli.media.worker import DecoderWorker

DEPTH = 2  # one that is decoded, one that is opened


@dataclass(slots=True)
class Prepared:
    """A video of a run, as far as it is known without the model.

    Attributes:
        item: The file.
        fingerprint: Of its content; empty where it cannot be read.
        is_ours: Whether this part of the run has to do with it.
        record: How an earlier run ended it.
        video: Opened, unless there is a record or an error.
        beside: Names what beside that content shapes the result.
        plan: What the task chose to look at; None where that is yet to be chosen.
        fit: What the task made ready of it, once the model is loaded.
        error: Why it cannot be used.
    """

    item: Input
    fingerprint: str = ""
    beside: str = ""
    is_ours: bool = True
    record: "Record | None" = None
    video: "AheadVideo | None" = None
    plan: Any = None
    fit: Any = None
    error: VidcliError | None = None

    def close(self) -> None:
        """Stop decoding it; idempotent."""
        if self.video is not None:
            self.video.close()


class Lookahead:
    """Prepares videos a few ahead of whoever takes them; a context manager.

    Args:
        worker: Reads the files; closed with this.
        task: Chooses what will be looked at.
        find: Finds the record of a video whose `fingerprint` and `beside` are known.
        is_ours: Whether this part of the run has to do with a fingerprint.
    """

    def __init__(
        self,
        worker: "DecoderWorker",
        task: Task,
        *,
        find: "Callable[[Prepared], Record | None]",
        is_ours: Callable[[str], bool],
    ) -> None:
        self._worker = worker
        self._task = task
        self._find = find
        self._is_ours = is_ours
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future[Prepared]] = deque()
        self._is_closed = False

    def each(self, items: Iterable[Input]) -> Iterator[Prepared]:
        """Every file, in order; the first ones are begun before this returns."""
        rest = iter(items)
        self._begin(rest, is_first=True)

        def take() -> Iterator[Prepared]:
            while self._pending:
                found = self._pending.popleft().result()
                self._begin(rest)
                yield found

        return take()

    def _begin(self, rest: Iterator[Input], *, is_first: bool = False) -> None:
        while len(self._pending) < DEPTH and (item := next(rest, None)) is not None:
            # What must be scanned first is better scanned where its progress is shown.
            self._pending.append(self._pool.submit(self.prepare, item, plan=not is_first))
            is_first = False

    def peek(self) -> Prepared | None:
        """The next video, where it is ready and to be answered."""
        if not self._pending or not self._pending[0].done():
            return None
        found = self._pending[0].result()
        return found if found.video is not None and found.error is None else None

    def prepare(self, item: Input, *, plan: bool) -> Prepared:
        """Find out about one video; what is wrong with it becomes its `error`."""
        found = Prepared(item)
        try:
            found.fingerprint = _fingerprint(item.path)
            found.is_ours = self._is_ours(found.fingerprint)
            if found.is_ours:
                found.beside = self._task.digest_beside(item.path)
                found.record = self._find(found)
            if found.is_ours and found.record is None:
                self.open(found, plan=plan)
        except VidcliError as error:
            found.error = error
        return found

    def open(self, found: Prepared, *, plan: bool) -> None:
        """Probe a video and, where `plan` says so, let the task choose what to look at.

        Raises:
            VidcliError: It is no video, or the options do not fit it.
        """
        from vidcli.media.ahead import AheadVideo

        if self._is_closed:
            raise MediaError(f"{found.item.path} is not opened: the run has ended")
        path = found.item.path
        info = self._worker.call("probe", path, sound_too=self._task.takes_sound)
        fingerprint = found.fingerprint or str(self._worker.call("fingerprint", path))
        found.fingerprint = fingerprint
        found.video = AheadVideo(info, self._worker, fingerprint)
        if plan:
            found.plan = self._task.plan(Footage(found.video, self._worker))

    def close(self) -> None:
        """Stop everything that is under way; idempotent."""
        self._is_closed = True
        for future in self._pending:
            future.cancel()
        self._worker.close()  # whatever the thread waits for ends now
        self._pool.shutdown()
        for future in self._pending:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().close()
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fingerprint(path: str) -> str:
    """Name of a file's content; empty for what probing will find no video."""
    from vidcli.media.fingerprint import fingerprint

    if not os.path.isfile(path):  # reading a named pipe would wait for a writer
        return ""
    try:
        return fingerprint(path)
    except OSError:
        return ""
