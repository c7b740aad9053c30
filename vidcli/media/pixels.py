"""A decoded frame as the picture a viewer sees: upright, square pixels, SDR sRGB, exact size."""

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

from vidcli.media.tonemap import HLG, PQ, tone_map

_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT  # else 1 to 2 levels too dark
HD_WIDTH, HD_HEIGHT = 1280, 720  # untagged video from here on is BT.709, below BT.601
UNSPECIFIED, BT2020 = 2, 9  # in ITU-T H.273


def to_picture(frame: VideoFrame, *, size: tuple[int, int], rotation: int) -> NDArray[np.uint8]:
    """Convert a frame, honouring its matrix, range and transfer.

    Args:
        frame: As decoded.
        size: Exact (width, height) of the upright picture; it need not keep the shape.
        rotation: Degrees counter-clockwise that make it upright: 0, 90, 180 or 270.

    Returns:
        uint8 sRGB (height, width, 3), C-contiguous.
    """
    width, height = size if rotation in (0, 180) else size[::-1]
    if int(frame.color_trc) in (PQ, HLG):
        deep = _scaled(frame, width, height, "gbrp16le")  # rgb48le comes out with wrong colours
        wide = int(frame.color_primaries) in (BT2020, UNSPECIFIED)
        image = tone_map(deep, transfer=int(frame.color_trc), wide=wide)
    else:
        image = _scaled(frame, width, height, "rgb24")
    return np.ascontiguousarray(np.rot90(image, rotation // 90))


def _scaled(frame: VideoFrame, width: int, height: int, pixels: str) -> NDArray[Any]:
    shrinks = width <= frame.width and height <= frame.height
    method = Interpolation.AREA if shrinks else Interpolation.BICUBIC
    is_hd = frame.width >= HD_WIDTH or frame.height >= HD_HEIGHT
    untagged = int(frame.colorspace) == UNSPECIFIED
    converted = frame.reformat(
        width=width,
        height=height,
        format=pixels,
        src_colorspace=Colorspace.ITU709 if untagged and is_hd else None,
        interpolation=method | _EXACT,
        threads=1,
    )
    return converted.to_ndarray()
