"""Position embeddings of a square grid, made smaller: bicubic, smoothed where it shrinks.

A vision encoder trained for 32 × 32 patches has one learned vector for each. For a smaller picture
the table is resampled like an image whose colours are the vector's numbers.

Source: ViT (arXiv:2010.11929) section 3.2, which interpolates them for another resolution;
the filter is Pillow's bicubic, which widens with the scale, so that no row is skipped.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARPNESS = -0.5  # Keys' cubic: exact for quadratics
SUPPORT = 2.0  # samples to either side


def shrink_positions(table: "NDArray[np.float32]", *, old: int, new: int) -> "NDArray[np.float32]":
    """Resample a position table from an `old` × `old` grid to a `new` × `new` one.

    Args:
        table: float32 `[old² or old² + 1, width]`; a row more is the class token's, the first.
        old: Patches a side.
        new: Patches a side wanted.

    Returns:
        float32 `[new² (+ 1), width]`.

    Raises:
        ValueError: The table is not of that grid.
    """
    extra = len(table) - old**2
    if extra not in (0, 1):
        raise ValueError(f"{len(table)} positions are no {old} × {old} grid")
    grid = table[extra:].reshape(old, old, -1)
    weights = _weights(old, new)
    smaller = np.einsum("ai,ijk,bj->abk", weights, grid, weights, optimize=True)
    return np.concatenate([table[:extra], smaller.reshape(new**2, -1)]).astype(np.float32)


def _weights(old: int, new: int) -> "NDArray[np.float64]":
    """Rows of filter weights `[new, old]`, each summing to 1."""
    scale = old / new
    centres = (np.arange(new) + 0.5) * scale - 0.5  # pixel centres, as image libraries count them
    distance = np.abs(np.arange(old)[None, :] - centres[:, None]) / max(scale, 1.0)
    a = SHARPNESS
    near = (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    far = a * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    rows = np.where(distance < 1, near, np.where(distance < SUPPORT, far, 0.0))
    weights: NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)
    return weights
