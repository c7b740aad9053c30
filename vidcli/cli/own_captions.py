"""Captions of a video that the model makes itself, clip by clip, before it reads them."""

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from vidcli.cli.build import Bench
from vidcli.cli.clips import ClipTeller, describe_settings
from vidcli.cli.footage import Footage
from vidcli.cli.groups import Loading
from vidcli.core.model import ModelFiles
from vidcli.errors import MediaError

if TYPE_CHECKING:
    from vidcli.library.journal import Journal
    from vidcli.methods.context import Note
    from vidcli.methods.narrate import Narrating

FRAMES = 4  # a clip
MAX_TOKENS = 128


class OwnCaptions:
    """Captions the clips of videos, each once: what an earlier run wrote is known.

    Args:
        bench_of: Gives the model that sees, loaded when the first clip needs it.
        files: Of that model.
        loading: How it is loaded.
        journal: Holds what is written.
        window: Length of a clip in seconds.
        overwrite: Caption again what an earlier run did.
        warn: Called with what a user should know.
        progress: Called with clips done and clips in all.
    """

    def __init__(
        self,
        bench_of: Callable[[], Bench],
        files: ModelFiles,
        loading: Loading,
        journal: "Journal",
        *,
        window: Fraction,
        overwrite: bool,
        warn: Callable[[str], None],
        progress: Callable[[int, int], None],
    ) -> None:
        from vidcli.library.journal import digest_settings

        captioning = caption_greedily()
        told = describe_settings(captioning, loading, files, frames=FRAMES)
        self._teller = ClipTeller(
            bench_of,
            journal,
            captioning,
            frames=FRAMES,
            settings=digest_settings(told),
            overwrite=overwrite,
            warn=warn,
        )
        self._window = window
        self._warn = warn
        self._progress = progress

    @property
    def n_new(self) -> int:
        """Clips that were captioned by this run."""
        return self._teller.n_new

    def find(self, source: Footage) -> "list[Note]":
        """Captions of a video, one a clip at most."""
        from vidcli.media.plan import choose_span
        from vidcli.methods.context import Kind, Note
        from vidcli.methods.windows import Clip, slide

        spans = slide(choose_span(source.info), window=self._window, stride=self._window)
        notes: list[Note] = []
        silent = 0
        for number, span in enumerate(spans):
            self._progress(number, len(spans))
            try:
                kept = self._teller.tell(source, Clip(span), ())["kept"]
            except MediaError as error:  # a part that is damaged; the others tell enough
                self._warn(str(error))
                kept = []
            notes += [Note(Kind.CAPTION, text["text"], span) for text in kept]
            silent += not kept
        if silent:
            what = "no whole sentence came of them"
            self._warn(
                f"{source.info.path}: {silent} of {len(spans)} clips have no caption: {what}"
            )
        return notes


def caption_greedily() -> "Narrating":
    """One caption a clip, the likeliest, whatever its score."""
    from vidcli.core.sampling import Sampling
    from vidcli.methods.narrate import Narrating
    from vidcli.methods.sift import Sieve

    return Narrating(
        gap_candidates=1,
        rephrase=0,
        sampling=Sampling(max_tokens=MAX_TOKENS, scored=True),
        sieve=Sieve(min_words=1, min_score=float("-inf")),
    )
