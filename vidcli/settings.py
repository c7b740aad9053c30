"""The one table of defaults: what every setting is when nobody said otherwise.

Order of precedence: flag, then `VIDCLI_*` environment, then the default here.
"""

import os
from pathlib import Path

ENV_PREFIX = "VIDCLI_"

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


def cache_dir() -> Path:
    """Directory of derived files, safe to delete: `VIDCLI_CACHE_DIR`, else the platform's own."""
    chosen = os.environ.get(f"{ENV_PREFIX}CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # only commands that cache anything pay for it

    return platformdirs.user_cache_path("vidcli", appauthor=False)


def state_dir() -> Path:
    """Directory of histories and crash reports: `VIDCLI_STATE_DIR`, else the platform's own."""
    chosen = os.environ.get(f"{ENV_PREFIX}STATE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return platformdirs.user_state_path("vidcli", appauthor=False)
