"""Reading text in pictures with RapidOCR, whose weights lie in its wheel: PP-OCRv6, small.

They know Latin letters with their accents, digits, Chinese and Japanese. The library would fetch
other weights from the network; those that it carries are named here by their files, so that it
never does. Not here: when to look (`methods`).
"""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.screen import Point, Reading, TextPlace
from vidcli.errors import SetupError
from vidcli.tools.imports import import_extra, missing_extra

EXTRA = "ocr"
WEIGHTS = "PP-OCRv6 small"
FIND_SIDE = 960  # pixels of the long side lines are looked for in; 736 is blind to 14 of 1920
LEAST_CONFIDENCE = 0.5  # what is read with less is mostly no text
MIN_SIDE = 3  # pixels; less is no letter
TALL = 1.5  # times as high as wide: no line that runs from left to right


class RapidTextReader:
    """A `core.protocols.TextReader`.

    Args:
        threads: Of the processor.

    Raises:
        SetupError: The extra is not installed, or incomplete.
    """

    def __init__(self, *, threads: int) -> None:
        self._engine = _load(threads)
        self.name = name_reader()

    def find(self, image: NDArray[np.uint8]) -> tuple[TextPlace, ...]:
        """Where text stands in uint8 RGB (height, width, 3), a place for each line."""
        found = self._engine(_as_bgr(image), use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None:
            return ()
        return tuple(_place(corners) for corners in found.boxes)

    def read(self, image: NDArray[np.uint8], places: Sequence[TextPlace]) -> tuple[Reading, ...]:
        """What the lines at these places say; an empty text where that is unsure."""
        picture = _as_bgr(image)
        return tuple(self._read_either_way(_cut_out(picture, place)) for place in places)

    def _read_either_way(self, line: NDArray[np.uint8]) -> Reading:
        """Read a line; one that is far taller than wide runs up or down, whichever reads better."""
        height, width = line.shape[:2]
        if height < TALL * width:
            return self._read_line(line)
        ways = (self._read_line(np.ascontiguousarray(np.rot90(line, turns))) for turns in (1, 3))
        return max(ways, key=lambda reading: reading.confidence)

    def _read_line(self, line: NDArray[np.uint8]) -> Reading:
        if min(line.shape[:2]) < MIN_SIDE:
            return Reading("", 0.0)
        read = self._engine(line, use_det=False, use_cls=False, use_rec=True)
        text = " ".join((read.txts or ("",))[0].split())
        confidence = float((read.scores or (0.0,))[0])
        return Reading(text if confidence >= LEAST_CONFIDENCE else "", confidence)


def name_reader() -> str:
    """Which program and weights read.

    Raises:
        SetupError: The extra is not installed.
    """
    try:
        return f"RapidOCR {version('rapidocr')}, {WEIGHTS}"
    except PackageNotFoundError as error:
        raise missing_extra(EXTRA, "reading text", "rapidocr is not installed") from error


def _load(threads: int) -> Any:
    """The engine, with the weights that its wheel carries."""
    rapidocr: Any = import_extra(
        "onnxruntime", "rapidocr.main", extra=EXTRA, purpose="reading text"
    )
    folder = Path(rapidocr.__file__).parent / "models"
    parts = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}
    missing = [name for name in parts.values() if not (folder / name).is_file()]
    if missing:
        raise SetupError(
            f"this RapidOCR does not carry its weights: {', '.join(missing)} not in {folder}",
            hint="pip install --force-reinstall rapidocr",
        )
    options = {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Global.text_score": 0.0,
        "Det.limit_side_len": FIND_SIDE,
        "Det.limit_type": "max",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        **{f"{part}.model_path": str(folder / name) for part, name in parts.items()},
    }
    return rapidocr.RapidOCR(params=options)


def _as_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image[:, :, ::-1])


def _place(corners: Any) -> TextPlace:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return TextPlace((a, b, c, d))


def _cut_out(image: NDArray[np.uint8], place: TextPlace) -> NDArray[np.uint8]:
    """The line as a picture of its own, its edges straight."""
    corners = np.array(place.corners, np.float32)
    width = round(max(_apart(*place.corners[:2]), _apart(*place.corners[2:])))
    height = round(max(_apart(*place.corners[1:3]), _apart(place.corners[3], place.corners[0])))
    if min(width, height) < MIN_SIDE:
        return np.zeros((0, 0, 3), np.uint8)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turned = cv2.warpPerspective(
        image,
        cv2.getPerspectiveTransform(corners, target),
        (width, height),
        borderMode=cv2.BORDER_REPLICATE,
        flags=cv2.INTER_CUBIC,
    )
    return np.asarray(turned, np.uint8)


def _apart(one: Point, other: Point) -> float:
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))
