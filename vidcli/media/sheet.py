"""Pictures on disk: one frame as a JPEG, PNG or WebP, and the contact sheet of many.

Everything is drawn with OpenCV's own strokes, which know ASCII only; other letters become `?`.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.media import Frame
from vidcli.core.time import format_time
from vidcli.errors import MediaError, UsageError

Image = NDArray[np.uint8]  # RGB (height, width, 3)

SHEET_WIDTH = 1920  # pixels, where the tiles are not smaller than this then makes them
TILE_WIDTHS = (160, 480)  # smallest, largest
SHEET_ASPECT = 1.5  # width over height the columns are chosen for
GAP = 8  # pixels between tiles
GROUND, BAND = (18, 18, 20), (38, 38, 42)
BRIGHT, DIM = (245, 245, 245), (165, 170, 180)
FONT = cv2.FONT_HERSHEY_SIMPLEX

FORMATS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
"""Picture formats by name, with the ending their files get."""


def encode_image(image: Image, format: str, quality: int = 90) -> bytes:
    """Write a picture as the bytes of an image file.

    Args:
        image: uint8 RGB (height, width, 3).
        format: `jpeg`, `png` or `webp`.
        quality: 1 to 100, for `jpeg` and `webp`; `png` loses nothing anyway.

    Raises:
        UsageError: No such format or quality.
        MediaError: The picture is larger than the format allows (WebP: 16383 pixels a side).
    """
    if format not in FORMATS:
        raise UsageError(f"no picture format {format!r}", hint=f"choose {', '.join(FORMATS)}")
    if not 1 <= quality <= 100:
        raise UsageError(f"a quality of {quality} is not between 1 and 100")
    flag = {"jpeg": cv2.IMWRITE_JPEG_QUALITY, "webp": cv2.IMWRITE_WEBP_QUALITY}.get(format)
    options = [] if flag is None else [flag, quality]
    try:
        done, data = cv2.imencode(FORMATS[format], cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    except cv2.error:
        done = False
    if not done:
        height, width = image.shape[:2]
        raise MediaError(
            f"a picture of {width}x{height} pixels cannot be written as {format}",
            hint="choose another format, such as png",
        )
    return data.tobytes()


def draw_sheet(frames: Sequence[Frame], reasons: Sequence[str], *, title: str = "") -> Image:
    """Draw one picture of all frames, row by row, each with its time and the rule that chose it.

    Args:
        frames: At least one; all of one shape look best, others are fitted in.
        reasons: One for each frame.
        title: A line above the tiles; empty for none.

    Returns:
        uint8 RGB. Tiles are 160 to 480 pixels wide, so a sheet of very many frames grows.
    """
    height, width = frames[0].image.shape[:2]
    columns = choose_columns(len(frames), width / height)
    room = (SHEET_WIDTH - GAP) // columns - GAP
    tile_width = min(max(room, TILE_WIDTHS[0]), TILE_WIDTHS[1])
    tile_height = max(1, round(tile_width * height / width))
    band = max(20, tile_width // 11)
    head = 2 * band if title else GAP
    rows = math.ceil(len(frames) / columns)
    sheet = np.empty(
        (head + rows * (tile_height + band + GAP), GAP + columns * (tile_width + GAP), 3), np.uint8
    )
    sheet[:] = GROUND
    if title:
        _write(sheet[:head], title, BRIGHT, height=band, left=2 * GAP)
    for number, (frame, reason) in enumerate(zip(frames, reasons, strict=True)):
        row, column = divmod(number, columns)
        top = head + row * (tile_height + band + GAP)
        left = GAP + column * (tile_width + GAP)
        tile = sheet[top : top + tile_height + band, left : left + tile_width]
        _fit(tile[:tile_height], frame.image)
        _label(tile[tile_height:], format_time(frame.time.seconds, decimals=1), reason)
    return sheet


def choose_columns(count: int, aspect: float) -> int:
    """Columns that bring `count` tiles of this width over height nearest to the sheet's shape.

    Empty places in the last row count against a choice.
    """

    def cost(columns: int) -> float:
        rows = math.ceil(count / columns)
        shape = abs(math.log(columns * aspect / (rows * (1 + aspect / 11)) / SHEET_ASPECT))
        return shape + (rows * columns - count) / count

    return min(range(1, count + 1), key=cost)


def _fit(place: Image, image: Image) -> None:
    """Fill `place` with the whole image, bars in the ground's colour where shapes differ."""
    height, width = image.shape[:2]
    scale = min(place.shape[1] / width, place.shape[0] / height)
    size = (
        min(place.shape[1], max(1, round(width * scale))),
        min(place.shape[0], max(1, round(height * scale))),
    )
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (place.shape[0] - size[1]) // 2, (place.shape[1] - size[0]) // 2
    place[top : top + size[1], left : left + size[0]] = small


def _label(band: Image, time: str, reason: str) -> None:
    """Write the time at the left of a dark band and the reason, dimmer, at its right."""
    band[:] = BAND
    height = band.shape[0]
    used = _write(band, time, BRIGHT, height=height, left=height // 3)
    scale, thickness = _pen(height)
    wide = cv2.getTextSize(_ascii(reason), FONT, scale, thickness)[0][0]
    left = band.shape[1] - wide - height // 3
    if left > used:
        _write(band, reason, DIM, height=height, left=left)


def _write(place: Image, text: str, color: tuple[int, int, int], *, height: int, left: int) -> int:
    """Write one line, centred on the height of `place`; returns the x just after it."""
    scale, thickness = _pen(height)
    (wide, tall), _ = cv2.getTextSize(_ascii(text), FONT, scale, thickness)
    canvas = np.ascontiguousarray(place)
    at = (left, (place.shape[0] + tall) // 2)
    cv2.putText(canvas, _ascii(text), at, FONT, scale, color, thickness, cv2.LINE_AA)
    place[:] = canvas
    return left + wide + height // 3


def _pen(height: int) -> tuple[float, int]:
    """Font scale and stroke for text in a band of this height; capitals are 22 pixels at 1."""
    return height * 0.5 / 22, max(1, round(height / 28))


def _ascii(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)
