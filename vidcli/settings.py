"""The one table of defaults: what every setting is when nobody said otherwise.

Order of precedence: flag, then `VIDCLI_*` environment, then the default here.
"""

import os
from pathlib import Path

ENV_PREFIX = "VIDCLI_"
_YES = ("1", "on", "yes", "true")

MAX_FRAMES = 64  # SmolVLM2's own recipe: 1 frame a second, at most 64
MIN_FRAMES = 8  # below this many seconds a short clip is sampled more densely than once a second
AUTO_FPS = 1.0
MAX_GAP_S = 30.0  # longest stretch that `--select shots` leaves unseen
MAX_TOKENS = 256
N_CTX = 8192
CHECK_THRESHOLD = 0.5
CACHE_MAX_BYTES = 4 * 1024**3
DECODE_TIMEOUT_S = 60.0  # without a sign of life from the decoder
DECODE_MEMORY_BYTES = 4 * 1024**3
RECOMMENDED_MODEL = "smolvlm2-500m"


def cache_dir() -> Path:
    """Directory of derived files, safe to delete: `VIDCLI_CACHE_DIR`, else the platform's own."""
    chosen = os.environ.get(f"{ENV_PREFIX}CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # only commands that cache anything pay for it

    return platformdirs.user_cache_path("vidcli", appauthor=False)


def data_dir() -> Path:
    """Directory of what is kept for good: `VIDCLI_DATA_DIR`, else the platform's own."""
    chosen = os.environ.get(f"{ENV_PREFIX}DATA_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_data_path("vidcli", appauthor=False)


def is_offline() -> bool:
    """Whether the user wants no network at all: `VIDCLI_OFFLINE`, or the hub's own variables."""
    names = (f"{ENV_PREFIX}OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").strip().lower() in _YES for name in names)


def state_dir() -> Path:
    """Directory of histories and crash reports: `VIDCLI_STATE_DIR`, else the platform's own."""
    chosen = os.environ.get(f"{ENV_PREFIX}STATE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_state_path("vidcli", appauthor=False)
