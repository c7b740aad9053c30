"""Runs over many videos: the model loaded once, results in order, one failure no end.

A `Run` asks every video the same. What an earlier run did, as the journal knows it, is not done
again: its result comes out of the journal, in whatever form is asked for now. Not here: which files
there are (`inputs`), getting the next ones ready (`ahead`), naming their files (`sidecars`).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.ahead import Lookahead, Prepared
from vidcli.cli.build import (
    Bench,
    find_files,
    find_language,
    import_engine,
    open_bench,
    planning,
)
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading, Telling
from vidcli.cli.keeping import Keeping
from vidcli.cli.listing import Input
from vidcli.cli.results import Results
from vidcli.cli.sidecars import SidecarError, Sidecars
from vidcli.cli.tally import RunProgress, Tally
from vidcli.cli.tasks import Job, Made, Task, describe_settings
from vidcli.cli.terminal import report_error
from vidcli.core.model import ModelFiles
from vidcli.errors import (
    EngineError,
    ExitCode,
    MediaError,
    PartialFailure,
    ResourceError,
    VidcliError,
)
from vidcli.output.documents import Document
from vidcli.settings import decode_limits, state_dir

if TYPE_CHECKING:
    from vidcli.library.journal import Journal, Record, Work

OF_THE_VIDEO = (MediaError, ResourceError, EngineError)  # failures that the next run would repeat
RETRY = "--retry-failed tries it again"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says of a run.

    Attributes:
        loading: Which model.
        telling: What is said.
        keeping: What is kept, and what is done again.
        many: Whether there may be more than one video; a single one keeps no journal unless its
            result goes into a file.
        trace: Where to write what the model was shown.
        repeats: Whether results of earlier runs are printed again.
    """

    loading: Loading
    telling: Telling
    keeping: Keeping
    many: bool
    trace: Path | None = None
    repeats: bool = True


@contextmanager
def open_run(task: Task, options: RunOptions) -> Iterator["Run"]:
    """A run for the block, with a summary at its end, however it ends.

    Raises:
        UsageError: The options contradict each other.
        ModelError: No model is named, or it is missing.
    """
    keeping, telling = options.keeping, options.telling
    form = task.form or keeping.choose_form(json=telling.json, many=options.many)
    with ExitStack() as stack:
        journal, settings, files = None, "", None
        if options.many or keeping.writes_files:
            if task.needs_model:
                files = find_files(options.loading, notes=telling.notes)
            journal, settings = _open_journal(task, options, files)
            stack.enter_context(journal)
        sidecars = None
        if keeping.writes_files:
            assert journal is not None, "files are written with a journal only"
            sidecars = Sidecars(journal, form, folder=keeping.out_dir, overwrite=keeping.overwrite)
        results = Results(task, form, many=options.many, sidecars=sidecars, telling=telling)
        run = Run(
            task,
            options,
            stack,
            files=files,
            journal=journal,
            settings=settings,
            results=results,
        )
        stack.callback(run.summarize)
        yield run


def _open_journal(
    task: Task, options: RunOptions, files: ModelFiles | None
) -> "tuple[Journal, str]":
    """The journal, and the digest that names this run's settings in it."""
    from vidcli.library.journal import Journal, digest_settings

    beside = planning(options.loading)
    planner = None if beside is None else find_language(beside, notes=options.telling.notes)
    told = describe_settings(task, options.loading, files, planner)
    return Journal(state_dir()), digest_settings(told)


class Run:
    """One question to videos, many or one; made by `open_run`."""

    def __init__(
        self,
        task: Task,
        options: RunOptions,
        stack: ExitStack,
        *,
        files: ModelFiles | None,
        journal: "Journal | None",
        settings: str,
        results: Results,
    ) -> None:
        from vidcli.media.worker import DecoderWorker

        self._task = task
        self._options = options
        self._stack = stack
        self._files = files
        self._journal = journal
        self._settings = settings
        self._results = results
        self._ended: set[Work] = set()  # by this run
        self._said: set[str] = set()  # warnings that do not concern one video
        self._since = time.perf_counter()  # the video before this one was through
        self.tally = Tally()
        self._progress = stack.enter_context(
            RunProgress(self.tally, many=options.many, quiet=options.telling.quiet)
        )
        self._worker = DecoderWorker(**decode_limits())
        self._ahead = stack.enter_context(
            Lookahead(
                self._worker,
                task,
                find=self._find,
                is_ours=self._is_ours,
            )
        )

    @cached_property
    def _bench(self) -> Bench:
        """The model, loaded when the first video proves to be one."""
        loading, telling = self._options.loading, self._options.telling
        return self._stack.enter_context(
            open_bench(loading, notes=telling.notes, files=self._files)
        )

    def work(self, items: Sequence[Input]) -> None:
        """Ask every video, in order; failures are reported and counted.

        Raises:
            VidcliError: The only video failed, or what failed would fail for every other too.
            PartialFailure: A video failed and `--fail-fast` was given.
        """
        self.tally.begin(len(items))
        postponed: list[Prepared] = []
        prepared = self._ahead.each(items)
        if self._journal is None and self._task.needs_model:  # with one, perhaps none is needed
            import_engine()
        for found in prepared:
            self._attempt(found, postponed)
        for found in postponed:  # another process had them in work
            self._attempt(found, None)

    def summarize(self) -> None:
        """Say how the run went, and what is wrong with its journal."""
        if self._journal is not None:
            for warning in self._journal.warnings:
                self._options.telling.notes.warn(warning)
        if self._options.many or self._options.keeping.writes_files:
            self._options.telling.notes.tell(self.tally.say())

    def raise_failures(self) -> None:
        """End a run in which videos failed.

        Raises:
            PartialFailure: Some did.
        """
        failed = self.tally.failed
        if failed:
            total = self.tally.total
            raise PartialFailure(f"{failed} of {total} inputs failed; the others are done")

    def _attempt(self, found: Prepared, postponed: list[Prepared] | None) -> None:
        item = found.item
        if not found.is_ours:
            self.tally.leave()
            return
        try:
            self._handle(found, postponed)
        except VidcliError as error:
            is_fatal = isinstance(error, self._task.fails_all) or not self._options.many
            if isinstance(error, SidecarError):
                self.tally.take_back()
            elif isinstance(error, OF_THE_VIDEO):
                self._note_failure(found, error)
            if is_fatal:
                self.tally.fail()
                raise
            self._report(item, error)
        finally:
            found.close()
            self._since = time.perf_counter()

    def _report(self, item: Input, error: VidcliError) -> None:
        self._progress.clear()
        self.tally.fail()
        report_error(str(error), error.hint)
        self._results.write_error(item, error)
        if self._options.keeping.fail_fast:
            raise PartialFailure(f"stopped at the first failure, {item.path}")

    def _handle(self, found: Prepared, postponed: list[Prepared] | None) -> None:
        record = found.record or self._find(found)
        if record is not None:
            self._repeat(found, record)
            return
        if found.error is not None:
            raise found.error
        wait = postponed is None or not self._options.keeping.writes_files
        with self._hold(found, wait=wait) as is_held:
            if not is_held:
                assert postponed is not None, "what is waited for is held"
                postponed.append(found)
                return
            record = self._find(found)  # another process may just have done it
            if record is not None:
                self._repeat(found, record)
            else:
                self._answer(found)

    # What is known

    def _work(self, found: Prepared) -> "Work":
        from vidcli.library.journal import Work, digest_settings

        if not found.beside:
            return Work(found.fingerprint, self._settings)
        settings = digest_settings({"settings": self._settings, "beside": found.beside})
        return Work(found.fingerprint, settings)

    def _hold(self, found: Prepared, *, wait: bool) -> AbstractContextManager[bool]:
        if self._journal is None or not found.fingerprint:
            return nullcontext(True)
        return self._journal.hold(self._work(found), wait=wait)

    def _is_ours(self, fingerprint: str) -> bool:
        shard = self._options.keeping.shard
        return shard is None or shard.has(fingerprint or "0")

    def _find(self, found: Prepared) -> "Record | None":
        """How this was ended before, as far as it counts now."""
        if self._journal is None or not found.fingerprint:
            return None
        work = self._work(found)
        record = self._journal.find(work)
        keeping = self._options.keeping
        again = keeping.retry_failed or keeping.overwrite
        if record is None or work in self._ended:
            return record
        if record.document is None:
            return None if again else record
        return None if keeping.overwrite else record

    def _note_failure(self, found: Prepared, error: VidcliError) -> None:
        from vidcli.library.journal import Record

        if self._journal is None or not found.fingerprint or found.record is not None:
            return
        record = Record(None, str(error), error.hint, int(error.exit_code))
        self._end(found, record)

    def _end(self, found: Prepared, record: "Record") -> None:
        if self._journal is not None:
            work = self._work(found)
            self._journal.finish(work, found.item.path, record)
            self._ended.add(work)

    def _repeat(self, found: Prepared, record: "Record") -> None:
        """Give out how an earlier run ended a video."""
        found.record = record
        if record.document is None:
            failure = VidcliError(record.error, hint=RETRY)
            failure.exit_code = ExitCode(record.exit_code)  # type: ignore[misc]
            raise failure
        document = record.document
        document["video"]["path"] = found.item.path  # it may have been renamed
        self.tally.skip()
        self._deliver(found, document, is_new=False)
        if self._options.repeats and not self._options.keeping.writes_files:
            self._warn(found, document["warnings"])

    # What is new

    def _answer(self, found: Prepared) -> None:
        from vidcli.library.journal import Record

        made = self._make(found)
        spent = time.perf_counter() - self._since
        self._end(found, Record(made.document, seconds=spent))
        self.tally.finish(spent)
        self._deliver(found, made.document, is_new=True)
        self._tell(found, made)

    def _make(self, found: Prepared) -> Made:
        if found.video is None:  # an earlier run had ended it when it was looked up
            self._ahead.open(found, plan=False)
        assert found.video is not None, "it is open by now"
        bench = self._bench if self._task.needs_model else None
        with self._progress.video(self.tally.current), self._results.streaming() as write:
            job = Job(
                loaded=bench,
                source=Footage(found.video, self._worker),
                plan=found.plan,
                fit=found.fit,
                started=self._since,
                progress=self._progress,
                write=write,
                look_ahead=lambda: self._begin_next(bench, found),
                start=found.video.start,
                trace=self._options.trace,
            )
            return self._task.answer(job)

    def _begin_next(self, bench: Bench | None, current: Prepared) -> None:
        """Begin to decode the next video, where it is ready and needs it."""
        if bench is None:
            return
        following = self._ahead.peek()
        if following is None or following.video is None or following.fit is not None:
            return
        if following.plan is None or following.fingerprint == current.fingerprint:
            return
        source = Footage(following.video, self._worker)
        following.fit = self._task.begin(bench, source, following.plan, start=following.video.start)

    # What is told

    def _deliver(self, found: Prepared, document: Document, *, is_new: bool) -> None:
        self._progress.clear()
        document = self._task.finish(document)
        is_negative = self._task.is_negative(document)
        self.tally.has_negative |= is_negative
        self.tally.has_positive |= not is_negative
        if is_new or self._options.repeats or self._options.keeping.writes_files:
            self._results.write(
                found.item,
                document,
                rendering=f"{self._work(found).settings} {self._task.rendering}",
                is_new=is_new,
            )
        self._task.deliver(document)

    def _tell(self, found: Prepared, made: Made) -> None:
        notes = self._options.telling.notes
        if not self._options.many:
            for warning in made.warnings:
                notes.warn(warning)
            notes.tell(made.evidence)
            for detail in made.details:
                notes.detail(detail)
            return
        of_the_model = set()
        if self._task.needs_model:
            of_the_model = {*self._bench.all_warnings(), *self._bench.doubts}
        self._warn(found, [text for text in made.warnings if text not in of_the_model])
        notes.tell(f"{found.item.path}: {made.evidence}")
        for warning in made.warnings:
            if warning in of_the_model and warning not in self._said:
                self._said.add(warning)
                notes.warn(warning)

    def _warn(self, found: Prepared, warnings: Sequence[str]) -> None:
        for warning in warnings:
            self._options.telling.notes.warn(f"{found.item.path}: {warning}")
