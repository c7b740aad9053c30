"""What the context holds, kept as a cache of one sequence.

Whatever prompt is asked for, the longest run it shares with what is held stays, the rest is trimmed
and only the difference is decoded. That one rule serves follow-up questions, chat turns and option
scoring alike. Where the video part is not held, a snapshot on disk may bring it back.
"""

from collections.abc import Sequence
from itertools import groupby

from vidcli.core.protocols import Progress
from vidcli.core.results import CacheUse
from vidcli.engine import native
from vidcli.engine.context import KvContext
from vidcli.engine.entries import Entry, count_cells, count_positions
from vidcli.engine.prefix_cache import PrefixCache

SNAPSHOT_MIN_CELLS = 64  # below this, prefilling again is as quick as reading a file


class HeldSequence:
    """A context and the entries it holds.

    Args:
        context: Used by nobody else from now on.
        prefixes: Where snapshots are kept; None for nowhere.
    """

    def __init__(self, context: KvContext, prefixes: PrefixCache | None) -> None:
        self._context = context
        self._prefixes = prefixes
        self._entries: list[Entry] = []
        self._position = 0
        self.n_cells = 0  # sums are kept, since answers add one token at a time

    def holds(self, entries: Sequence[Entry]) -> bool:
        """Whether the context holds exactly these, so that its logits follow the last of them."""
        return len(entries) == len(self._entries) == _common(self._entries, entries)

    def bring_to(
        self,
        entries: Sequence[Entry],
        *,
        n_shared: int = 0,
        snapshot_key: str = "",
        label: str = "",
        progress: Progress | None = None,
    ) -> tuple[int, CacheUse]:
        """Make the context hold `entries`, the last of them freshly decoded for its logits.

        Args:
            entries: At least one.
            n_shared: Leading entries that are worth a snapshot.
            snapshot_key: Names their content and all that their KV state depends on.
            label: What a person calls the video; shown in the cache.
            progress: Told as cells are filled.

        Returns:
            Cells that were there before, and whether the shared part was found.

        Raises:
            VidcliError: llama.cpp refused it; the context holds a part, as `feed` says.
            KeyboardInterrupt: The context holds a part, as `feed` says.
        """
        keep = min(_common(self._entries, entries), len(entries) - 1)
        found = keep >= n_shared > 0
        if n_shared and not found and self._load(snapshot_key, entries[:n_shared]):
            keep, found = n_shared, True
        keep = self._trim_to(keep)
        n_reused, n_total = count_cells(entries[:keep]), count_cells(entries)
        if keep < n_shared:
            self.feed(entries[keep:n_shared], n_total=n_total, progress=progress)
            self._save(snapshot_key, label)
            keep = n_shared
        self.feed(entries[keep:], n_total=n_total, progress=progress)
        missed = CacheUse.OFF if self._prefixes is None or not n_shared else CacheUse.MISS
        return n_reused, CacheUse.HIT if found else missed

    def forget(self) -> None:
        """Hold nothing, as at the start."""
        with native.uninterrupted():
            self._context.clear()
            self._hold([])

    def feed(
        self, entries: Sequence[Entry], *, n_total: int = 0, progress: Progress | None = None
    ) -> None:
        """Add entries behind what is held.

        Raises:
            VidcliError: llama.cpp refused it; what went in before that run is still held.
            KeyboardInterrupt: What went in before the interrupted run is still held.
        """
        for is_text, group in groupby(entries, key=lambda entry: entry.visual is None):
            members = list(group)
            for run in [members] if is_text else [[entry] for entry in members]:
                with native.uninterrupted():
                    self._put(run)
            if progress:
                progress("prefill", self.n_cells, n_total)

    def _put(self, run: Sequence[Entry]) -> None:
        """Add text tokens, or one run of visual tokens."""
        try:
            visual = run[0].visual
            if visual is None:
                self._context.decode([int(entry.key) for entry in run], self._position)
            else:
                self._context.inject(visual, run[0].start, run[0].stop, self._position)
            self._note(run)
        except BaseException:  # how much of the run went in before it stopped is not known
            if not self._context.trim(self._position):
                self._hold([])
            raise

    def _note(self, run: Sequence[Entry]) -> None:
        self._entries += run
        self.n_cells += count_cells(run)
        self._position += count_positions(run)

    def _hold(self, entries: Sequence[Entry]) -> None:
        self._entries, self.n_cells, self._position = [], 0, 0
        self._note(entries)

    def _trim_to(self, keep: int) -> int:
        """Keep the first entries; returns how many could be kept."""
        if keep < len(self._entries):
            kept = self._entries[:keep]
            with native.uninterrupted():
                if kept and self._context.trim(count_positions(kept)):
                    self._hold(kept)
                else:
                    self._context.clear()
                    self._hold([])
        return len(self._entries)

    def _load(self, key: str, entries: Sequence[Entry]) -> bool:
        if self._prefixes is None or not key:
            return False
        snapshot = self._prefixes.lookup(key)
        if snapshot is None or snapshot.n_cells != count_cells(entries):
            return False
        with native.uninterrupted():
            loaded = self._context.load(snapshot.path)
            self._hold(entries if loaded else [])
        if not loaded:
            self._prefixes.discard(key)
        return loaded

    def _save(self, key: str, label: str) -> None:
        if self._prefixes is None or not key or self.n_cells < SNAPSHOT_MIN_CELLS:
            return
        with self._prefixes.path_for_writing(key) as draft:
            if draft is not None:
                self._context.save(draft.path)
                draft.commit(n_past=self._position, n_cells=self.n_cells, label=label)


def _common(held: Sequence[Entry], wanted: Sequence[Entry]) -> int:
    """Leading entries that are the same in both."""
    for i, (a, b) in enumerate(zip(held, wanted, strict=False)):
        if a.key != b.key:
            return i
    return min(len(held), len(wanted))
