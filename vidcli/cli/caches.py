"""Where the caches are: the one place that knows their folders and bounds."""

from typing import TYPE_CHECKING

from vidcli import settings

if TYPE_CHECKING:
    from vidcli.engine.lru_dir import CacheEntry, LruDirectory
    from vidcli.engine.prefix_cache import PrefixCache
    from vidcli.engine.token_cache import TokenCache

TOKENS = "tokens"
PREFIXES = "prefixes"
TRIED = "tried"  # marks of models that were once used without harm; a few bytes each
DERIVED = "derived"  # where `vidcli.models.derive` writes
FEATURES = "features"  # where `vidcli train` keeps what the vision encoder made of videos
DIGESTS = "digests"  # where `vidcli.models.digest` writes; a few bytes each


def open_token_cache() -> "TokenCache":
    """Visual tokens of every video seen; bounded to half of the caches' size."""
    from vidcli.engine.token_cache import TokenCache

    return TokenCache(settings.cache_dir() / TOKENS, settings.cache_size() // 2)


def open_prefix_cache() -> "PrefixCache":
    """Prefix snapshots of every video asked about; bounded to half of the caches' size."""
    from vidcli.engine.prefix_cache import PrefixCache

    return PrefixCache(settings.cache_dir() / PREFIXES, settings.cache_size() // 2)


def open_derived_files() -> "LruDirectory":
    """Projectors rewritten for this processor or detail; made again when needed."""
    return _open_files(DERIVED, suffix=".gguf")


def open_digests() -> "LruDirectory":
    """Checksums of model files, so that a large file is read through once."""
    return _open_files(DIGESTS)


def open_features() -> "LruDirectory":
    """Features of the videos that models were trained on; made again when needed."""
    return _open_files(FEATURES, suffix=".npz")


def open_trials() -> "LruDirectory":
    """Marks of models that were once used without harm, so that each is tried once."""
    return _open_files(TRIED)


def _open_files(folder: str, *, suffix: str = "") -> "LruDirectory":
    from vidcli.engine.lru_dir import LruDirectory

    return LruDirectory(
        settings.cache_dir() / folder,
        settings.cache_size(),
        suffix=suffix,
        read_label=lambda path: path.name,
    )


class KeptCaptions:
    """Captions of segments that summaries are made of, seen as a cache: an entry for each video.

    They lie beside the run journal, since an interrupted run goes on from them.
    """

    def __init__(self) -> None:
        self.warnings: tuple[str, ...] = ()

    def usage(self) -> "list[CacheEntry]":
        """Videos with captions, the latest captioned first."""
        from vidcli.engine.lru_dir import CacheEntry
        from vidcli.library.segments import NAME, SegmentStore

        path = settings.state_dir() / NAME
        if not path.exists():
            return []
        with SegmentStore(settings.state_dir()) as store:
            found = store.usage()
            self.warnings = tuple(store.warnings)
        return [
            CacheEntry(path, size, made, f"captions of {fingerprint[:8]}")
            for fingerprint, size, made in found
        ]

    def prune(self, max_bytes: int) -> int:
        """Remove the captions of the videos captioned longest ago; returns the bytes freed."""
        from vidcli.library.segments import NAME, SegmentStore

        if not (settings.state_dir() / NAME).exists():
            return 0
        with SegmentStore(settings.state_dir()) as store:
            total, dropped, freed = 0, [], 0
            for fingerprint, size, _ in store.usage():
                total += size
                if total > max_bytes:
                    dropped.append(fingerprint)
                    freed += size
            store.forget(dropped)
            self.warnings = tuple(store.warnings)
        return freed
