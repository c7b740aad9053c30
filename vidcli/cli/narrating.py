"""A run of `vidcli data narrate`: every clip told once, however often the run is stopped."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.cli.build import Bench, find_files, import_engine, open_bench
from vidcli.cli.clips import ClipTeller, describe_settings, name_clip
from vidcli.cli.collecting import RowRun
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading, Telling
from vidcli.cli.inputs import Inputs
from vidcli.cli.keeping import Collecting
from vidcli.cli.labels import LabelFiles
from vidcli.cli.narrate_options import Cutting
from vidcli.cli.rows import NoRows, Rows, name_beside, open_rows
from vidcli.cli.terminal import write_document
from vidcli.core.model import ModelFiles, ModelReport
from vidcli.errors import MediaError, UsageError
from vidcli.output.datasets import NarrationCount, narrate_document, say_narrations
from vidcli.output.documents import Document, seconds
from vidcli.settings import state_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidcli.library.journal import Journal
    from vidcli.methods.narrate import Narrating
    from vidcli.methods.windows import Clip


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
    files = find_files(loading, notes=telling.notes)
    shaping = describe_settings(narrating, loading, files, frames=cutting.frames)
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
        run.run(inputs)


class NarrationRun(RowRun):
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
        super().__init__(stack, telling, collecting)
        self._cutting = cutting
        self._loading = loading
        self._files = files
        self._journal = journal
        self._settings = settings
        self._labels = labels
        self._rows = rows
        self._rejected = rejected
        self._model: ModelReport | None = None
        self.count = NarrationCount()
        self._teller = ClipTeller(
            lambda: self._bench,
            journal,
            narrating,
            frames=cutting.frames,
            settings=settings,
            overwrite=collecting.overwrite,
            warn=self._warn,
        )
        self._labels = labels
        self._rows = rows
        self._rejected = rejected

    @cached_property
    def _bench(self) -> Bench:
        """The model, loaded when the first clip needs it."""
        import_engine()
        bench = self._stack.enter_context(
            open_bench(self._loading, notes=self._telling.notes, files=self._files)
        )
        self._model = bench.session.report
        for warning in bench.all_warnings():
            self._telling.notes.warn(warning)
        return bench

    def skip(self, path: str) -> None:
        """Labels of a video that is an input are not left over."""
        self._labels.of(path)

    def work(self, source: Footage, path: str) -> None:
        """Tell one video.

        Raises:
            VidcliError: None of its clips can be told.
        """
        from vidcli.methods.windows import measure_share

        span, clips = self._cutting.find_clips(source, self._labels.of(path))
        made_from = digest_clips(clips)
        before: list[str] = []
        told, texted, failure = [], [], None
        for number, clip in enumerate(clips):
            self._show_progress("clip", number, len(clips))
            try:
                document = self._teller.tell(source, clip, before)
            except MediaError as error:
                failure, before = error, []
                self.count.clips["failed"] += 1
                self._warn(f"{name_clip(source, clip)}: {error}")
                continue
            told.append(clip.span)
            texted += [clip.span] if document["kept"] else []
            before = [text["text"] for text in document["kept"]]
            self._collect(source, clip, document, made_from)
        if failure is not None and not told:
            raise failure
        for warning in source.warnings:
            self._warn(f"{source.info.path}: {warning}")
        self.count.whole_s += float(span.length)
        self.count.told_s += float(span.length * measure_share(span, told))
        self.count.texted_s += float(span.length * measure_share(span, texted))

    def _collect(self, source: Footage, clip: "Clip", document: Document, made_from: str) -> None:
        """Write what was said about a clip, and count it."""
        kept, dropped = document["kept"], document["dropped"]
        start, end = seconds(clip.span.start), seconds(clip.span.end)
        head = {
            "id": f"{source.fingerprint[:16]}:{start}-{end}",
            "video": name_beside(source.info.path, self._collecting.out),
            "start": start,
            "end": end,
        }
        tail = {
            "fingerprint": source.fingerprint,
            "made_from": made_from,
            "settings": self._settings,
        }
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

    def summarize(self, total: int) -> None:
        """Say how the run went; as a document too where that was asked for."""
        notes = self._telling.notes
        for warning in (*self._rows.warnings, *self._rejected.warnings, *self._journal.warnings):
            notes.warn(warning)
        self._labels.warn_of_left_over("labels", notes)
        self.count.videos = self.videos
        self.count.clips["new"] = self._teller.n_new
        self.count.clips["kept"] = self._teller.n_kept
        document = narrate_document(
            self.count,
            total=total,
            out=self._collecting.out,
            model=self._model,
            failures=self.failures,
        )
        if self._telling.json:
            write_document(document)
        for line in say_narrations(document):
            notes.tell(line)


def digest_clips(clips: "Sequence[Clip]") -> str:
    """Names how a video was cut into clips, and what people said about them."""
    from vidcli.library.journal import digest_settings

    cut = [[str(clip.span.start), str(clip.span.end), *clip.texts] for clip in clips]
    return digest_settings({"clips": cut})


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
