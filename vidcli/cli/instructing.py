"""A run of `vidcli data instruct`: every video once, however often the run is stopped."""

import dataclasses
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidcli.cli.build import Bench, find_files, find_language, open_bench, open_language
from vidcli.cli.collecting import RowRun
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading, Telling
from vidcli.cli.inputs import Inputs
from vidcli.cli.instruct_options import Reading
from vidcli.cli.keeping import Collecting
from vidcli.cli.labels import LabelFiles
from vidcli.cli.own_captions import OwnCaptions
from vidcli.cli.rows import NoRows, Rows, name_beside, open_rows
from vidcli.cli.sources import Sources
from vidcli.cli.terminal import write_document
from vidcli.core.model import LanguageFiles, ModelFiles
from vidcli.core.protocols import TextSession
from vidcli.errors import MediaError, UsageError
from vidcli.output.datasets import InstructionCount, instruct_document, say_instructions
from vidcli.output.documents import Document
from vidcli.output.instructions import RowForm, instruction_row
from vidcli.settings import state_dir

if TYPE_CHECKING:
    from vidcli.library.journal import Journal
    from vidcli.methods.context import Note
    from vidcli.methods.instruct import Instructing

VERSION = 1  # raised when the same settings come to mean other instructions


def instruct_each(
    inputs: Inputs,
    reading: Reading,
    instructing: "Instructing",
    loading: Loading,
    telling: Telling,
    collecting: Collecting,
    form: RowForm,
    rejects: Path | None,
) -> None:
    """Make instructions about every video.

    Raises:
        VidcliError: The only video failed, or what failed would fail for every other too.
        PartialFailure: Some of several videos failed.
    """
    from vidcli.library.journal import Journal, digest_settings

    if telling.json and collecting.out is None:
        raise UsageError(
            "--json prints a summary, and rows go to standard output",
            hint="give the rows a file with --out instructions.json",
        )
    files: ModelFiles | LanguageFiles = (
        find_files(loading, notes=telling.notes)
        if reading.watch
        else find_language(loading, notes=telling.notes)
    )
    shaping = {
        "task": "instruct",
        "version": VERSION,
        "instructing": dataclasses.asdict(instructing),
        "n_ctx": loading.n_ctx,
        "weights": files.weights_sha256,
    }
    looks = (reading.watch, str(reading.choose_window()), getattr(files, "mmproj_sha256", ""))
    settings = digest_settings({**shaping, "form": form.value, "looks": looks})
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(state_dir()))
        sources = open_sources(inputs, reading)
        rows = stack.enter_context(
            open_rows(collecting.out, settings=settings, overwrite=collecting.overwrite)
        )
        rejected = stack.enter_context(
            open_rows(rejects, settings=settings, overwrite=collecting.overwrite)
            if rejects
            else NoRows()
        )
        InstructionRun(
            stack,
            reading=reading,
            instructing=instructing,
            loading=loading,
            telling=telling,
            collecting=collecting,
            form=form,
            files=files,
            journal=journal,
            shaping=shaping,
            settings=settings,
            sources=sources,
            rows=rows,
            rejected=rejected,
        ).run(inputs)


def open_sources(inputs: Inputs, reading: Reading) -> Sources:
    """Where to look for words about the inputs.

    Raises:
        UsageError: A data file cannot be read, or a row of it is wrong.
    """
    only = inputs.files[0].path if len(inputs.files) == 1 else None
    captions, screen = (
        LabelFiles(paths or [], only=only) for paths in (reading.captions, reading.screen_text)
    )
    return Sources(captions, screen, reading.speech)


class InstructionRun(RowRun):
    """All videos of one command."""

    def __init__(
        self,
        stack: ExitStack,
        *,
        reading: Reading,
        instructing: "Instructing",
        loading: Loading,
        telling: Telling,
        collecting: Collecting,
        form: RowForm,
        files: ModelFiles | LanguageFiles,
        journal: "Journal",
        shaping: dict[str, Any],
        settings: str,
        sources: Sources,
        rows: Rows,
        rejected: Rows,
    ) -> None:
        super().__init__(stack, telling, collecting)
        self._instructing = instructing
        self._loading = loading
        self._form = form
        self._files = files
        self._journal = journal
        self._shaping = shaping
        self._settings = settings
        self._sources = sources
        self._rows = rows
        self._rejected = rejected
        self._used: TextSession | None = None
        self.count = InstructionCount()
        self._captions: OwnCaptions | None = None
        if isinstance(files, ModelFiles):
            self._captions = OwnCaptions(
                lambda: self._bench,
                files,
                loading,
                journal,
                window=reading.choose_window(),
                overwrite=collecting.overwrite,
                warn=self._warn,
                progress=lambda done, total: self._show_progress("caption", done, total),
            )

    @cached_property
    def _bench(self) -> Bench:
        """The model that sees, loaded when the first clip needs it."""
        assert isinstance(self._files, ModelFiles), "only asked for with a pair"
        return self._stack.enter_context(
            open_bench(self._loading, notes=self._telling.notes, files=self._files)
        )

    @cached_property
    def _session(self) -> TextSession:
        """The language model, loaded when the first video needs it."""
        files = self._files
        if isinstance(files, ModelFiles):
            self._used, files = self._bench.session, files.language
        else:
            opened = open_language(self._loading, notes=self._telling.notes, files=files)
            self._used = self._stack.enter_context(opened)
        for note in (*self._used.notes, *files.doubts):
            self._warn(note)
        return self._used

    def skip(self, path: str) -> None:
        """Rows about a video that is an input are not left over."""
        self._sources.captions.of(path)
        self._sources.screen.of(path)

    def work(self, source: Footage, path: str) -> None:
        """Make instructions about one video.

        Raises:
            MediaError: Nothing is known of it.
            ResourceError: The context is too small.
        """
        from vidcli.methods.context import order_notes

        found, warnings = self._sources.find(source, path)
        for warning in (*source.warnings, *warnings):
            self._warn(f"{path}: {warning}")
        own = self._captions.find(source) if self._captions is not None else []
        notes = order_notes([*found, *own])
        if not notes:
            raise MediaError(
                f"nothing is known of {path}: no captions, no speech, no on-screen text",
                hint="give --captions FILE, or let the model caption it first with --watch",
            )
        document = self._find_or_instruct(source, notes)
        if document["left_out"]:
            self._warn(
                f"{path}: {document['left_out']} of {len(notes)} texts do not fit the context"
            )
        self._collect(source, document, digest_notes(notes))

    def _find_or_instruct(self, source: Footage, notes: "Sequence[Note]") -> Document:
        """What was made of a video, by this run or an earlier one."""
        from vidcli.library.journal import Record, Work, digest_settings

        shaping = {**self._shaping, "made_from": digest_notes(notes)}
        work = Work(source.fingerprint, digest_settings(shaping))
        with self._journal.hold(work, wait=True):
            record = None if self._collecting.overwrite else self._journal.find(work)
            if record is not None and record.document is not None:
                self.count.known += 1
                return record.document
            started = time.perf_counter()
            document = self._instruct(source, notes)
            spent = time.perf_counter() - started
            self._journal.finish(work, source.info.path, Record(document, seconds=spent))
            return document

    def _instruct(self, source: Footage, notes: "Sequence[Note]") -> Document:
        from vidcli.methods.instruct import instruct

        made = instruct(
            self._session,
            notes,
            self._instructing,
            fingerprint=source.fingerprint,
            progress=lambda done, total: self._show_progress("questions", done, total),
        )
        return {
            "instructions": [dataclasses.asdict(found) for found in made.instructions],
            "sources": dict(made.sources),
            "left_out": made.left_out,
            "model": self._session.report.name,
        }

    def _collect(self, source: Footage, document: Document, made_from: str) -> None:
        """Write the instructions of a video, and count them."""
        kept: list[Document] = []
        dropped: list[Document] = []
        for number, found in enumerate(document["instructions"]):
            about: Document = {
                "kind": str(found["task"]),
                "provenance": {
                    "by": "vidcli data instruct",
                    "model": document["model"],
                    "sources": document["sources"],
                    "agreement": found["agreement"],
                },
                "fingerprint": source.fingerprint,
                "made_from": made_from,
                "settings": self._settings,
            }
            reason = found["drop"]
            row = instruction_row(
                self._form,
                name=f"{source.fingerprint[:16]}-{number}",
                video=name_beside(source.info.path, self._collecting.out),
                question=found["question"],
                answer=found["answer"],
                about=about if reason is None else {**about, "reason": str(reason)},
            )
            (kept if reason is None else dropped).append(row)
            self.count.kept.update([about["kind"]] if reason is None else [])
            self.count.dropped.update([] if reason is None else [str(reason)])
        self.count.rows += self._rows.add(kept)
        self._rejected.add(dropped)
        self.count.sources.update(document["sources"])
        self.count.left_out += document["left_out"]

    def summarize(self, total: int) -> None:
        """Say how the run went; as a document too where that was asked for."""
        notes = self._telling.notes
        for warning in (*self._rows.warnings, *self._rejected.warnings, *self._journal.warnings):
            notes.warn(warning)
        for option, rows in (
            ("captions", self._sources.captions),
            ("screen-text", self._sources.screen),
        ):
            rows.warn_of_left_over(option, notes)
        self.count.videos = self.videos
        self.count.captioned = self._captions.n_new if self._captions is not None else 0
        document = instruct_document(
            self.count,
            total=total,
            out=self._collecting.out,
            model=self._used.report if self._used is not None else None,
            failures=self.failures,
        )
        if self._telling.json:
            write_document(document)
        for line in say_instructions(document):
            notes.tell(line)


def digest_notes(notes: "Sequence[Note]") -> str:
    """Names all that is known of a video."""
    from vidcli.library.journal import digest_settings

    return digest_settings({"notes": [note.write() for note in notes]})
