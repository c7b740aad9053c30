"""Pictures that show nothing new: dropping frames that look like the last one kept.

Structural similarity of small pictures tells "a cursor moved" from "something changed", where
perceptual hashes do not. It is nearly blind to smooth pictures and quite blind to colour, so that
the plain difference counts too. A single typed letter is below what either sees. Comparing with the
last *kept* frame, not the one before, lets slow change add up until it shows.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import Frame

LEAST_CHANGE = 0.01  # 1 − SSIM of the luma
LEAST_DIFFERENCE = 2.0  # levels of 255, mean of all pixels and colours
LONG_SIDE = 256  # pixels of the compared pictures
WINDOW, SIGMA = (11, 11), 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Small = NDArray[np.uint8]  # RGB (height, width, 3)


def drop_near_duplicates(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Tell of each frame, as it comes, whether it shows something new.

    Args:
        frames: In the order shown.

    Yields:
        (frame, whether to keep it); the first is always kept.
    """
    last: Small | None = None
    for frame in frames:
        small = shrink(frame.image)
        is_new = last is None or looks_new(last, small)
        if is_new:
            last = small
        yield frame, is_new


def find_distinct(pictures: Iterable[Small]) -> list[int]:
    """Indices of the pictures that differ from the last one kept; the first is among them.

    Args:
        pictures: As `shrink` makes them.
    """
    kept: list[int] = []
    last: Small | None = None
    for number, picture in enumerate(pictures):
        if last is None or looks_new(last, picture):
            kept.append(number)
            last = picture
    return kept


def looks_new(last: Small, picture: Small) -> bool:
    """Whether a picture differs from the last one by structure, light or colour, or in shape."""
    if last.shape != picture.shape:
        return True
    if float(cv2.absdiff(last, picture).mean()) >= LEAST_DIFFERENCE:
        return True
    return measure_change(_luma(last), _luma(picture)) >= LEAST_CHANGE


def shrink(image: NDArray[np.uint8]) -> Small:
    """The picture with a long side of 256 pixels, averaged from uint8 RGB (height, width, 3)."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8)


def measure_change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """1 − mean SSIM of two grey pictures of one size: 0 for equal ones, up to 2.

    Source: structural similarity, Wang et al. 2004 (doi:10.1109/TIP.2003.819861), section III.B:
    Gaussian window of 11 pixels, σ 1.5.
    """
    a, b = first.astype(np.float32), second.astype(np.float32)
    mean_a, mean_b = _smooth(a), _smooth(b)
    variance_a = _smooth(a * a) - mean_a * mean_a
    variance_b = _smooth(b * b) - mean_b * mean_b
    covariance = _smooth(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1)
    structure = (2 * covariance + C2) / (variance_a + variance_b + C2)
    return float(1 - (light * structure).mean())


def _luma(image: Small) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, WINDOW, SIGMA), np.float32)
