"""What happens in a short run of frames, by a classifier of clips such as a 3D ResNet.

The network takes 16 frames, each fitted over a square of 112 pixels and cut to it, RGB, with the
mean of its training set taken off, and gives one number for each label.

Source: K. Hara et al., Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?
(arXiv:1711.09577), section 3; means as in OpenCV's sample for the same network.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcli.core.detections import Action, Guess, Window
from vidcli.core.onnx_header import OnnxRole
from vidcli.core.time import Span
from vidcli.errors import ModelError
from vidcli.tools.labels import find_labels
from vidcli.tools.network import Network

Image = NDArray[np.uint8]  # RGB (height, width, 3)
Floats = NDArray[np.float32]

LENGTH, SIZE = 16, 112  # frames, pixels a side, where the file leaves them free
MEANS = np.array([114.7748, 107.7354, 99.4750], np.float32)  # red, green, blue


class ActionNetwork:
    """A `core.protocols.ClipClassifier` over an ONNX file.

    Args:
        path: The file.
        labels_file: One label a line; None looks in the file and beside it.

    Raises:
        ModelError: The file is no classifier of clips, or nobody tells its labels.
        UsageError: `labels_file` does not fit it.
    """

    def __init__(self, path: Path, *, labels_file: Path | None = None) -> None:
        self._network = Network(path, role=OnnxRole.ACTIONS)
        header = self._network.header
        length, height, width = header.inputs[0].shape[2:]
        if height != width:
            raise ModelError(f"{path.name} takes frames of {width}×{height}, not squares")
        self._length, self._size = length or LENGTH, height or SIZE
        count = header.outputs[0].shape[1]
        if count is None:
            blank = np.zeros((self._size, self._size, 3), np.uint8)
            count = self._look([blank] * self._length).size
        self._labels = find_labels(path, header, count, file=labels_file, knows_coco=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it can name."""
        return self._labels

    @property
    def length(self) -> int:
        """Frames it looks at together."""
        return self._length

    @property
    def size(self) -> int:
        """Pixels a side of the square that it looks at."""
        return self._size

    def classify(self, images: Sequence[Image]) -> tuple[float, ...]:
        """How likely each label is, 0 to 1.

        Args:
            images: `length` of them, in order.
        """
        if len(images) != self._length:
            raise ValueError(f"{len(images)} frames, not {self._length}")
        return tuple(as_probabilities(self._look(images)).tolist())

    def _look(self, images: Sequence[Image]) -> Floats:
        """The network's own numbers: [labels]."""
        squares = np.stack([cut_square(image, self._size) for image in images])  # [T, S, S, 3]
        clip = (squares.astype(np.float32) - MEANS).transpose(3, 0, 1, 2)[None]  # [1, 3, T, S, S]
        return self._network.run(np.ascontiguousarray(clip)).reshape(-1)


def cut_square(image: Image, size: int) -> Image:
    """The middle of a picture as a square: its short side becomes `size`."""
    height, width = image.shape[:2]
    scale = size / min(height, width)
    fitted = (max(size, round(width * scale)), max(size, round(height * scale)))
    if fitted != (width, height):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, fitted, interpolation=method).astype(np.uint8, copy=False)
    left, top = (fitted[0] - size) // 2, (fitted[1] - size) // 2
    return image[top : top + size, left : left + size]


def as_probabilities(told: Floats) -> Floats:
    """Numbers of a network as shares of 1; left alone where they are that already."""
    if (told >= 0).all() and abs(float(told.sum()) - 1) < 1e-3:
        return told
    powers = np.exp(told - told.max())
    shares: Floats = powers / powers.sum()
    return shares


def plan_windows(
    span: Span, *, length: Fraction, every: Fraction, most: int | None = None
) -> tuple[list[Span], Fraction]:
    """Stretches of `length` seconds, one every so often, all inside the span.

    Args:
        span: What to look at.
        length: Of a window; a shorter span is one window.
        every: Seconds from one window's start to the next's.
        most: Windows at most, spread wider where there would be more; None for any number.

    Returns:
        The windows, and the seconds there really are from one to the next.
    """
    length = min(length, span.length)
    room = span.length - length
    if most is not None and int(room / every) + 1 > most:
        every = room / (most - 1) if most > 1 else span.length
    count = int(room / every) + 1 if every <= room else 1
    starts = (span.start + number * every for number in range(count))
    return [Span(start, start + length) for start in starts], every


def instants_of(window: Span, count: int) -> list[Fraction]:
    """The middles of `count` equal parts of a window."""
    part = window.length / count
    return [window.start + (2 * number + 1) * part / 2 for number in range(count)]


def best_guesses(
    probabilities: Sequence[float], labels: Sequence[str], *, top: int
) -> tuple[Guess, ...]:
    """The likeliest labels, best first."""
    order = sorted(range(len(labels)), key=lambda number: (-probabilities[number], number))
    return tuple(Guess(labels[number], probabilities[number]) for number in order[:top])


def merge_windows(windows: Sequence[Window], *, least: float) -> tuple[Action, ...]:
    """Stretches over which the likeliest label stays the same.

    Args:
        windows: In order, each with at least one guess.
        least: Probability below which a window says nothing, and parts those beside it.
    """
    runs: list[list[Window]] = []
    label = ""
    for window in windows:
        best = window.guesses[0]
        if best.probability < least:
            label = ""
            continue
        if best.label != label:
            runs.append([])
        runs[-1].append(window)
        label = best.label
    return tuple(map(_join, runs))


def _join(run: Sequence[Window]) -> Action:
    mean = sum(window.guesses[0].probability for window in run) / len(run)
    return Action(
        run[0].guesses[0].label, Span(run[0].span.start, run[-1].span.end), mean, len(run)
    )
