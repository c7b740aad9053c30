"""Clips told by the model, each once: what an earlier run told comes out of the journal."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vidcli.cli import asking
from vidcli.cli.build import Bench
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading, Looking
from vidcli.core.model import ModelFiles
from vidcli.core.results import Timings
from vidcli.core.time import format_range
from vidcli.output.documents import Document

if TYPE_CHECKING:
    from vidcli.library.journal import Journal
    from vidcli.methods.narrate import Narrating
    from vidcli.methods.windows import Clip

VERSION = 1  # raised when the same settings come to mean other texts


def describe_settings(
    narrating: "Narrating", loading: Loading, files: ModelFiles, *, frames: int
) -> dict[str, Any]:
    """Everything that shapes a narration besides the clip and what was said of it."""
    return {
        "task": "narrate",
        "version": VERSION,
        "narrating": dataclasses.asdict(narrating),
        "frames": frames,
        "detail": loading.detail.value,
        "n_ctx": loading.n_ctx,
        "weights": files.weights_sha256,
        "mmproj": files.mmproj_sha256,
    }


class ClipTeller:
    """Tells clips of opened videos.

    Args:
        bench_of: Gives the model, loaded when the first clip needs it.
        journal: Holds what is told, from the moment it is.
        narrating: How clips are told.
        frames: Most frames of a clip.
        settings: Names all that shapes a narration, from `describe_settings`.
        overwrite: Tell again what an earlier run told.
        warn: Called with what a user should know.

    Attributes:
        n_new: Clips that the model told.
        n_kept: Clips that earlier runs told.
    """

    def __init__(
        self,
        bench_of: Callable[[], Bench],
        journal: "Journal",
        narrating: "Narrating",
        *,
        frames: int,
        settings: str,
        overwrite: bool,
        warn: Callable[[str], None],
    ) -> None:
        self._bench_of = bench_of
        self._journal = journal
        self._narrating = narrating
        self._frames = frames
        self._settings = settings
        self._overwrite = overwrite
        self._warn = warn
        self.n_new = self.n_kept = 0

    def tell(self, source: Footage, clip: "Clip", before: Sequence[str]) -> Document:
        """What was said about a clip: `kept` and `dropped` narrations, by this run or an earlier.

        Args:
            source: The opened video.
            clip: Of it.
            before: Texts kept of the clip before.

        Raises:
            MediaError: No frame of it can be decoded.
        """
        from vidcli.library.journal import Record, Work, digest_settings

        shaping = {
            "run": self._settings,
            "span": [str(clip.span.start), str(clip.span.end)],
            "texts": list(clip.texts),
            "before": list(before),
        }
        work = Work(source.fingerprint, digest_settings(shaping))
        with self._journal.hold(work, wait=True):
            record = None if self._overwrite else self._journal.find(work)
            if record is not None and record.document is not None:
                self.n_kept += 1
                return record.document
            started = time.perf_counter()
            document = self._narrate(source, clip, before)
            spent = time.perf_counter() - started
            self._journal.finish(work, source.info.path, Record(document, seconds=spent))
            self.n_new += 1
            return document

    def _narrate(self, source: Footage, clip: "Clip", before: Sequence[str]) -> Document:
        from vidcli.media.plan import plan_uniform
        from vidcli.methods.ask import Question
        from vidcli.methods.narrate import narrate_clip

        bench, looking = self._bench_of(), Looking()
        question = Question(self._narrating.question, sampling=self._narrating.sampling)
        plan = plan_uniform(source.info, clip.span, budget=self._frames)
        fit = asking.fit_question(bench, source, looking, question, plan=plan)
        seen = asking.look(
            bench, source, looking, question, timings=Timings(), progress=None, fit=fit
        )
        made = narrate_clip(
            bench.session, seen.watched, clip, self._narrating, video=seen.video, before=before
        )
        for warning in (*fit.warnings, *seen.watched.warnings):
            self._warn(f"{name_clip(source, clip)}: {warning}")
        return {
            "kept": [dataclasses.asdict(text) for text in made.kept],
            "dropped": [dataclasses.asdict(text) for text in made.dropped],
        }


def name_clip(source: Footage, clip: "Clip") -> str:
    """A clip for messages: the video and the times."""
    return f"{source.info.path} {format_range(clip.span.start, clip.span.end)}"
