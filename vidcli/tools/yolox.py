"""Things in frames, by a detector in YOLOX's form.

The network takes one square picture, RGB, 0 to 255, fitted in at the upper left with grey beside
it, and tells for every cell of three grids: where the middle and how large the box is, in cells,
how sure it is that something is there, and what.

Source: YOLOX (arXiv:2107.08430), section 2; the picture as in the OpenCV model zoo's copy, which
takes neither mean nor deviation off.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.detections import Detection
from vidcli.core.media import Frame
from vidcli.core.onnx_header import OnnxRole
from vidcli.core.tracks import Box
from vidcli.errors import ModelError
from vidcli.tools.labels import find_labels
from vidcli.tools.network import Network

Image = NDArray[np.uint8]  # RGB (height, width, 3)
Floats = NDArray[np.float32]

SIDE = 640  # pixels, where the file leaves it free
STRIDES = (8, 16, 32)  # pixels a side of a cell of each grid
GREY = 114  # beside the picture
OVERLAP = 0.5  # IoU from which the less sure of two boxes of one kind is the same thing
PLACES = 5  # numbers of a cell before its classes: x, y, width, height, objectness


class YoloxDetector:
    """A `core.protocols.Detector` over an ONNX file.

    Args:
        path: The file.
        labels_file: One label a line; None looks in the file, beside it, and knows COCO's.
        score: Least score, 0 to 1.

    Raises:
        ModelError: The file is no detector, or nobody tells its labels.
        UsageError: `labels_file` does not fit it.
    """

    def __init__(
        self,
        path: Path,
        *,
        labels_file: Path | None = None,
        score: float = 0.5,
    ) -> None:
        self._network = Network(path, role=OnnxRole.DETECTOR)
        header = self._network.header
        self._side = _side_of(path, header.inputs[0].shape)
        self._grid = make_grid(self._side)
        n_cells, width = header.outputs[0].shape[1:]
        if n_cells not in (len(self._grid), None):
            raise ModelError(
                f"{path.name} is no detector in YOLOX's form, which tells of {len(self._grid)} "
                f"cells: {header.describe()}"
            )
        width = width or self._look(np.zeros((self._side, self._side, 3), np.uint8)).shape[1]
        self._labels = find_labels(path, header, width - PLACES, file=labels_file, knows_coco=True)
        self._score = score

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it can name."""
        return self._labels

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Things in one frame, the surest first."""
        square, scale = letterbox(frame.image, self._side)
        boxes, scores, classes = decode(self._look(square), self._grid)
        found = []
        for number in suppress(boxes, scores, classes, least=self._score):
            box = _place(boxes[number] / scale, frame, score=float(scores[number]))
            if box is not None:
                found.append(Detection(self._labels[classes[number]], box))
        return tuple(found)

    def _look(self, square: Image) -> Floats:
        """What the network tells of each cell: [cells, 5 + classes]."""
        blob = np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32)
        told: Floats = self._network.run(blob)[0]
        if told.ndim != 2 or len(told) != len(self._grid):
            raise ModelError(
                f"{self._network.path.name} tells of {told.shape}, not of {len(self._grid)} cells"
            )
        return told


def letterbox(image: Image, side: int) -> tuple[Image, float]:
    """Fit a picture into a square, at its upper left, grey beside it.

    Returns:
        The square, and pixels of it for each pixel of the picture.
    """
    height, width = image.shape[:2]
    scale = min(side / height, side / width)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    square = np.full((side, side, 3), GREY, np.uint8)
    square[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return square, scale


def make_grid(side: int) -> Floats:
    """Column, row and pixels a side of every cell, grid after grid, row by row: [cells, 3]."""
    grids = []
    for stride in STRIDES:
        n = side // stride
        rows, columns = np.mgrid[:n, :n]
        grids.append(np.stack([columns, rows, np.full_like(rows, stride)], 2).reshape(-1, 3))
    return np.concatenate(grids).astype(np.float32)


def decode(told: Floats, grid: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Boxes in pixels of the square (left, top, right, bottom), their scores and classes.

    Args:
        told: [cells, 5 + classes].
        grid: From `make_grid`.
    """
    strides = grid[:, 2:]
    middles = (told[:, :2] + grid[:, :2]) * strides
    # A network that is sure of nothing may tell of absurd sizes; they must not overflow.
    halves = np.exp(np.minimum(told[:, 2:4], 10)) * strides / 2
    scores = told[:, PLACES:] * told[:, 4:PLACES]
    classes = scores.argmax(axis=1)
    best = np.clip(scores[np.arange(len(scores)), classes], 0, 1)
    return np.concatenate([middles - halves, middles + halves], axis=1), best, classes


def suppress(
    boxes: Floats, scores: Floats, classes: NDArray[np.intp], *, least: float
) -> Sequence[int]:
    """Numbers of the boxes to keep, the surest first: of several on one thing only the surest.

    Boxes of different classes leave each other alone.
    """
    sure = np.flatnonzero(scores >= least)
    order = sure[np.argsort(-scores[sure], kind="stable")]
    kept: list[int] = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(int(first))
        same = classes[rest] == classes[first]
        order = rest[~(same & (overlaps(boxes[first], boxes[rest]) > OVERLAP))]
    return kept


def overlaps(box: Floats, others: Floats) -> Floats:
    """Intersection over union of one box with others (left, top, right, bottom): [n]."""
    corner = np.maximum(box[:2], others[:, :2])
    far = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.maximum(far - corner, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + areas - shared
    quotient: Floats = shared / np.maximum(union, 1e-9)
    return quotient


def _side_of(path: Path, shape: tuple[int | None, ...]) -> int:
    height, width = shape[2:]
    if height != width or (height or SIDE) % STRIDES[-1]:
        raise ModelError(
            f"{path.name} takes pictures of {width}×{height}, not squares of whole cells"
        )
    return height or SIDE


def _place(corners: Floats, frame: Frame, *, score: float) -> Box | None:
    """A box in shares of the frame; None where it lies outside, on the grey."""
    height, width = frame.image.shape[:2]
    left, top, right, bottom = np.clip(corners / [width, height, width, height], 0, 1).tolist()
    if right <= left or bottom <= top:
        return None
    return Box(frame.time, left, top, right - left, bottom - top, score)
