"""Faces come from YuNet's own twelve outputs, through OpenCV's `FaceDetectorYN`."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.tools.nets import RED, save_colour_detector, save_face_finder
from vidcli.core.media import Frame
from vidcli.core.time import Timestamp
from vidcli.errors import ModelError
from vidcli.tools.faces import FaceFinder


def frame_with(*places: tuple[int, int]) -> Frame:
    """Black, 160 × 90, with green squares of 16 pixels: the network's idea of a face."""
    image = np.zeros((90, 160, 3), np.uint8)
    for left, top in places:
        image[top : top + 16, left : left + 16] = (0, 255, 0)
    time = Timestamp(0, Fraction(1))
    return Frame(image, time, time.seconds)


@pytest.fixture
def finder(tmp_path: Path) -> FaceFinder:
    return FaceFinder(save_face_finder(tmp_path / "faces.onnx"))


def test_faces_are_where_the_pixels_are(finder: FaceFinder):
    """A1.7 for faces: one box for each square, in shares of the frame."""
    found = finder.detect(frame_with((16, 32), (96, 0)))
    boxes = sorted((one.box.x, one.box.y, one.box.width, one.box.height) for one in found)
    assert boxes == [
        pytest.approx((16 / 160, 32 / 90, 16 / 160, 16 / 90)),
        pytest.approx((96 / 160, 0, 16 / 160, 16 / 90)),
    ]
    assert {one.label for one in found} == {"face"} == set(finder.labels)


def test_frames_of_any_size_are_taken(finder: FaceFinder):
    assert finder.detect(frame_with()) == ()
    large = Frame(np.zeros((360, 641, 3), np.uint8), Timestamp(0, Fraction(1)), Fraction(0))
    large.image[320:336, 608:624] = (0, 255, 0)
    assert len(finder.detect(large)) == 1
    assert len(finder.detect(frame_with((16, 32)))) == 1


def test_another_network_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="no face detector: it is a detector"):
        FaceFinder(save_colour_detector(tmp_path / "d.onnx", (RED,)))
