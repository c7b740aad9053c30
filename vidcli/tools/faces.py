"""Faces in frames, by OpenCV's YuNet.

Source: W. Wu et al., YuNet: a tiny millisecond-level face detector (Machine Intelligence Research
2023), run by OpenCV's own `FaceDetectorYN`.
"""

from pathlib import Path
from typing import Any

import cv2

from vidcli.core.detections import Detection
from vidcli.core.media import Frame
from vidcli.core.onnx_header import OnnxRole
from vidcli.core.tracks import Box
from vidcli.errors import ModelError
from vidcli.tools.network import check_onnx, own_errors

LABEL = "face"
SCORE = 0.8  # below it, YuNet sees faces in leaves and textures
OVERLAP = 0.3  # IoU from which the less sure of two boxes is the same face
MOST = 5000  # candidates looked at


class FaceFinder:
    """A `core.protocols.Detector` that knows faces only.

    Args:
        path: The ONNX file.
        score: Least score, 0 to 1.

    Raises:
        ModelError: The file is missing, broken, or no YuNet.
    """

    def __init__(self, path: Path, *, score: float = SCORE) -> None:
        check_onnx(path, role=OnnxRole.FACES)
        self._path = path
        with own_errors(path, "load", ModelError):
            self._net: Any = cv2.FaceDetectorYN.create(
                str(path), "", (32, 32), score, OVERLAP, MOST
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything it can name."""
        return (LABEL,)

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Faces in one frame, the surest first."""
        height, width = frame.image.shape[:2]
        with own_errors(self._path, "run"):
            self._net.setInputSize((width, height))
            _, rows = self._net.detect(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
        found = []
        for row in [] if rows is None else rows.tolist():
            left, top, wide, high = row[:4]  # pixels; row 4 to 13 are eyes, nose and mouth
            right, bottom = min(1.0, (left + wide) / width), min(1.0, (top + high) / height)
            x, y = max(0.0, left / width), max(0.0, top / height)
            if right > x and bottom > y:
                score = min(1.0, max(0.0, row[14]))
                found.append(Detection(LABEL, Box(frame.time, x, y, right - x, bottom - y, score)))
        return tuple(sorted(found, key=lambda detection: -detection.box.score))
