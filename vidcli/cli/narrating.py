"""A run of `vidcli data narrate`: every clip told once, however often the run is stopped."""

import dataclasses
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.cli import asking
from vidcli.cli.build import Bench, find_files, import_engine, open_bench
from vidcli.cli.footage import Footage, open_videos
from vidcli.cli.groups import Loading, Looking, Telling
from vidcli.cli.inputs import Inputs, each_input
from vidcli.cli.keeping import Collecting
from vidcli.cli.labels import LabelFiles
from vidcli.cli.narrate import Cutting
from vidcli.cli.rows import Rows, name_beside, open_rows
from vidcli.cli.terminal import write_document
from vidcli.core.model import ModelFiles
from vidcli.core.results import ModelReport, Timings
from vidcli.errors import MediaError, UsageError, VidcliError
from vidcli.output.datasets import NarrationCount, narrate_document, say_narrations
from vidcli.output.documents import Document, error_document, seconds
from vidcli.output.progress import AnyProgress, open_progress
from vidcli.settings import state_dir

if TYPE_CHECKING:
    from vidcli.library.journal import Journal
    from vidcli.methods.narrate import Narrating
    from vidcli.methods.windows import Clip

VERSION = 1  # raised when the same settings come to mean other texts


def narrate_each(
    inputs: Inputs,
    cutting: Cutting,
    narrating: "Narrating",
    loading: Loading,
    telling: Telling,
    collecting: Collecting,
    rejects: Path | None,
) -> None:
    """Tell every clip of every video.

    Raises:
        VidcliError: The only video failed, or what failed would fail for every other too.
        PartialFailure: Some of several videos failed.
    """
    if telling.json and collecting.out is None:
        raise UsageError(
            "--json prints a summary, and rows go to standard output",
            hint="give the rows a file with --out pairs.jsonl",
        )
    from vidcli.library.journal import Journal, digest_settings

    only = inputs.files[0].path if len(inputs.files) == 1 else None
    labels = LabelFiles(cutting.labels or [], only=only)
    files = find_files(loading, quiet=telling.quiet)
    shaping = describe_settings(cutting, narrating, loading, files)
    settings = digest_settings(shaping)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(state_dir()))
        to_file = (collecting.out, rejects)
        rows, rejected = (
            stack.enter_context(
                open_rows(path, settings=settings, overwrite=collecting.overwrite)
                if path or path is collecting.out
                else NoRows()
            )
            for path in to_file
        )
        run = NarrationRun(
            stack,
            cutting=cutting,
            narrating=narrating,
            loading=loading,
            telling=telling,
            collecting=collecting,
            files=files,
            journal=journal,
            settings=settings,
            labels=labels,
            rows=rows,
            rejected=rejected,
        )
        try:
            each_input(inputs, run.work, json=False, fail_fast=collecting.fail_fast)
        finally:
            run.summarize(inputs)


def describe_settings(
    cutting: Cutting, narrating: "Narrating", loading: Loading, files: ModelFiles
) -> dict[str, Any]:
    """Everything that shapes a narration besides the clip and what was said of it."""
    return {
        "task": "narrate",
        "version": VERSION,
        "narrating": dataclasses.asdict(narrating),
        "frames": cutting.frames,
        "detail": loading.detail.value,
        "n_ctx": loading.n_ctx,
        "weights": files.weights_sha256,
        "mmproj": files.mmproj_sha256,
    }


class NoRows(Rows):
    """Rows that nobody asked for."""

    def _write(self, rows: Sequence[Document]) -> None:
        pass


class NarrationRun:
    """All videos of one command."""

    def __init__(
        self,
        stack: ExitStack,
        *,
        cutting: Cutting,
        narrating: "Narrating",
        loading: Loading,
        telling: Telling,
        collecting: Collecting,
        files: ModelFiles,
        journal: "Journal",
        settings: str,
        labels: LabelFiles,
        rows: Rows,
        rejected: Rows,
    ) -> None:
        self._stack = stack
        self._cutting = cutting
        self._narrating = narrating
        self._loading = loading
        self._telling = telling
        self._collecting = collecting
        self._files = files
        self._journal = journal
        self._settings = settings
        self._labels = labels
        self._rows = rows
        self._rejected = rejected
        self._open_video = stack.enter_context(open_videos())
        self._progress: AnyProgress = open_progress(quiet=telling.quiet)
        stack.callback(self._progress.clear)
        self._done: set[str] = set()
        self._model: ModelReport | None = None
        self.count = NarrationCount()
        self.failures: list[Document] = []

    @cached_property
    def _bench(self) -> Bench:
        """The model, loaded when the first clip needs it."""
        import_engine()
        bench = self._stack.enter_context(
            open_bench(self._loading, quiet=self._telling.quiet, files=self._files)
        )
        self._model = bench.session.report
        for warning in bench.all_warnings():
            self._telling.notes.warn(warning)
        return bench

    def work(self, path: str) -> None:
        """Tell one video.

        Raises:
            VidcliError: It cannot be opened, or none of its clips can be told.
        """
        try:
            outcome = self._attempt(path)
        except VidcliError as error:
            self._progress.clear()
            self.count.videos["failed"] += 1
            self.failures.append(error_document(path, error))
            raise
        self.count.videos[outcome] += 1

    def _attempt(self, path: str) -> str:
        source = self._open_video(path)
        fingerprint, shard = source.fingerprint, self._collecting.shard
        if shard is not None and not shard.has(fingerprint):
            return "elsewhere"
        if fingerprint in self._done:
            self._warn(f"{path} has the content of a video before it: left out")
            return "copies"
        self._tell(source)
        self._done.add(fingerprint)
        return "done"

    def _tell(self, source: Footage) -> None:
        from vidcli.methods.windows import measure_share

        span, clips = self._cutting.find_clips(source, self._labels.of(source.info.path))
        before: list[str] = []
        told, texted, failure = [], [], None
        for number, clip in enumerate(clips):
            self._progress(f"video {sum(self.count.videos.values())}: clip", number, len(clips))
            try:
                document = self._find_or_narrate(source, clip, before)
            except MediaError as error:
                failure, before = error, []
                self.count.clips["failed"] += 1
                self._warn(f"{_name(source, clip)}: {error}")
                continue
            told.append(clip.span)
            texted += [clip.span] if document["kept"] else []
            before = [text["text"] for text in document["kept"]]
            self._collect(source, clip, document)
        if failure is not None and not told:
            raise failure
        for warning in source.warnings:
            self._warn(f"{source.info.path}: {warning}")
        self.count.whole_s += float(span.length)
        self.count.told_s += float(span.length * measure_share(span, told))
        self.count.texted_s += float(span.length * measure_share(span, texted))

    def _find_or_narrate(self, source: Footage, clip: "Clip", before: Sequence[str]) -> Document:
        """What was said about a clip, by this run or an earlier one."""
        from vidcli.library.journal import Record, Work, digest_settings

        shaping = {
            "run": self._settings,
            "span": [str(clip.span.start), str(clip.span.end)],
            "texts": list(clip.texts),
            "before": list(before),
        }
        work = Work(source.fingerprint, digest_settings(shaping))
        with self._journal.hold(work, wait=True):
            record = None if self._collecting.overwrite else self._journal.find(work)
            if record is not None and record.document is not None:
                self.count.clips["kept"] += 1
                return record.document
            started = time.perf_counter()
            document = self._narrate(source, clip, before)
            spent = time.perf_counter() - started
            self._journal.finish(work, source.info.path, Record(document, seconds=spent))
            self.count.clips["new"] += 1
            return document

    def _narrate(self, source: Footage, clip: "Clip", before: Sequence[str]) -> Document:
        from vidcli.media.plan import plan_uniform
        from vidcli.methods.ask import Question
        from vidcli.methods.narrate import narrate_clip

        bench, looking = self._bench, Looking()
        question = Question(self._narrating.question, sampling=self._narrating.sampling)
        plan = plan_uniform(source.info, clip.span, budget=self._cutting.frames)
        fit = asking.fit_question(bench, source, looking, question, plan=plan)
        seen = asking.look(
            bench, source, looking, question, timings=Timings(), progress=None, fit=fit
        )
        made = narrate_clip(
            bench.session,
            seen.watched,
            clip,
            self._narrating,
            video=seen.video,
            before=before,
        )
        for warning in (*fit.warnings, *seen.watched.warnings):
            self._warn(f"{_name(source, clip)}: {warning}")
        return {
            "kept": [dataclasses.asdict(text) for text in made.kept],
            "dropped": [dataclasses.asdict(text) for text in made.dropped],
        }

    def _collect(self, source: Footage, clip: "Clip", document: Document) -> None:
        """Write what was said about a clip, and count it."""
        kept, dropped = document["kept"], document["dropped"]
        start, end = seconds(clip.span.start), seconds(clip.span.end)
        head = {
            "id": f"{source.fingerprint[:16]}:{start}-{end}",
            "video": name_beside(source.info.path, self._collecting.out),
            "start": start,
            "end": end,
        }
        tail = {"fingerprint": source.fingerprint, "settings": self._settings}
        if kept:
            columns = {
                "texts": [text["text"] for text in kept],
                "scores": [round(text["score"], 6) for text in kept],
                "log_probabilities": [_rounded(text["log_probability"]) for text in kept],
                "sources": [str(text["source"]) for text in kept],
            }
            self.count.rows += self._rows.add([{**head, **columns, **tail}])
        self._rejected.add(
            [
                {
                    **head,
                    "id": f"{head['id']}:{number}",
                    "text": text["text"],
                    "source": str(text["source"]),
                    "reason": str(text["reason"]),
                    "score": round(text["score"], 6),
                    **tail,
                }
                for number, text in enumerate(dropped)
            ]
        )
        self.count.clips["labelled" if clip.is_labelled else "gaps"] += 1
        self.count.clips["empty"] += not kept
        self.count.texts.update(str(text["source"]) for text in kept)
        self.count.dropped.update(str(text["reason"]) for text in dropped)

    def _warn(self, text: str) -> None:
        self._progress.clear()
        self._telling.notes.warn(text)

    def summarize(self, inputs: Inputs) -> None:
        """Say how the run went; as a document too where that was asked for."""
        self._progress.clear()
        notes = self._telling.notes
        for warning in (*self._rows.warnings, *self._rejected.warnings, *self._journal.warnings):
            notes.warn(warning)
        left_over = self._labels.left_over
        if left_over:
            shown = ", ".join(left_over[:3]) + ("…" if len(left_over) > 3 else "")
            notes.warn(f"--labels speaks of {len(left_over)} videos that are no input: {shown}")
        document = narrate_document(
            self.count,
            total=len(inputs.files),
            out=self._collecting.out,
            model=self._model,
            failures=self.failures,
        )
        if self._telling.json:
            write_document(document)
        for line in say_narrations(document):
            notes.tell(line)


def _name(source: Footage, clip: "Clip") -> str:
    from vidcli.core.time import format_time

    start, end = (format_time(edge, decimals=1) for edge in (clip.span.start, clip.span.end))
    return f"{source.info.path} {start}-{end}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
