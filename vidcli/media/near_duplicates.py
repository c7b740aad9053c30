"""Pictures that show nothing new: dropping frames that look like the last one kept.

Structural similarity of small grey pictures tells "a cursor moved" from "something changed", where
perceptual hashes do not (docs/log.md). A single typed letter is below what it sees. Comparing with
the last *kept* frame, not the one before, lets slow change add up until it shows.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import Frame

LEAST_CHANGE = 0.01  # 1 − SSIM
LONG_SIDE = 256  # pixels of the compared pictures
WINDOW, SIGMA = (11, 11), 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Grey = NDArray[np.uint8]


def drop_near_duplicates(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Tell of each frame, as it comes, whether it shows something new.

    Args:
        frames: In the order shown.

    Yields:
        (frame, whether to keep it); the first is always kept.
    """
    last: Grey | None = None
    for frame in frames:
        small = shrink(frame.image)
        is_new = last is None or measure_change(last, small) >= LEAST_CHANGE
        if is_new:
            last = small
        yield frame, is_new


def find_distinct(pictures: Iterable[Grey], *, least_change: float = LEAST_CHANGE) -> list[int]:
    """Indices of the pictures that differ from the last one kept; the first is among them.

    Args:
        pictures: As `shrink` makes them.
        least_change: 1 − SSIM, 0 to 1.
    """
    kept: list[int] = []
    last: Grey | None = None
    for number, picture in enumerate(pictures):
        if last is None or measure_change(last, picture) >= least_change:
            kept.append(number)
            last = picture
    return kept


def shrink(image: NDArray[np.uint8]) -> Grey:
    """Grey picture with a long side of 256 pixels, averaged from uint8 RGB (height, width, 3)."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def measure_change(first: Grey, second: Grey) -> float:
    """1 − mean SSIM: 0 for equal pictures, about 1 for unrelated ones; 1 where sizes differ.

    Source: structural similarity, Wang et al. 2004 (doi:10.1109/TIP.2003.819861), section III.B:
    Gaussian window of 11 pixels, σ 1.5.
    """
    if first.shape != second.shape:
        return 1.0
    a, b = first.astype(np.float32), second.astype(np.float32)
    mean_a, mean_b = _smooth(a), _smooth(b)
    variance_a = _smooth(a * a) - mean_a * mean_a
    variance_b = _smooth(b * b) - mean_b * mean_b
    covariance = _smooth(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1)
    structure = (2 * covariance + C2) / (variance_a + variance_b + C2)
    return float(1 - (light * structure).mean())


def _smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, WINDOW, SIGMA), np.float32)
