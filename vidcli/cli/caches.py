"""Where the caches are: the one place that knows their folders and bounds."""

from typing import TYPE_CHECKING

from vidcli import settings

if TYPE_CHECKING:
    from vidcli.engine.lru_dir import LruDirectory
    from vidcli.engine.prefix_cache import PrefixCache
    from vidcli.engine.token_cache import TokenCache

TOKENS = "tokens"
PREFIXES = "prefixes"
TRIED = "tried"  # marks of models that were once used without harm; a few bytes each
DERIVED = "derived"  # where `vidcli.models.derive` writes
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
