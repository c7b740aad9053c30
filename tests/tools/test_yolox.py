"""A1.7: `detect` does a real forward pass: hand-made networks whose answers can be worked out."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.tools.nets import (
    BLUE,
    GREEN,
    RED,
    save_clip_classifier,
    save_colour_detector,
    save_graph,
)
from vidcli.core.media import Frame
from vidcli.core.time import Timestamp
from vidcli.errors import EngineError, ModelError, UsageError
from vidcli.tools.coco import COCO
from vidcli.tools.yolox import YoloxDetector, letterbox, make_grid, overlaps, suppress

GROUND = (114, 114, 114)


def frame_of(image: np.ndarray) -> Frame:
    time = Timestamp(1, Fraction(1, 2))
    return Frame(image, time, time.seconds)


def picture(width: int, height: int, **patches: tuple[int, int, int, int]) -> Frame:
    """Grey, with patches (left, top, right, bottom) of `red`, `green` or `blue`."""
    image = np.full((height, width, 3), GROUND, np.uint8)
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
    for name, (left, top, right, bottom) in patches.items():
        image[top:bottom, left:right] = colours[name]
    return frame_of(image)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "colours.txt").write_text("red thing\nblue thing\n")
    return save_colour_detector(tmp_path / "colours.onnx", (RED, BLUE))


def places(found) -> list[tuple[str, float, tuple[float, ...]]]:  # type: ignore[no-untyped-def]
    return [
        (one.label, one.box.score, (one.box.x, one.box.y, one.box.width, one.box.height))
        for one in found
    ]


def test_a_patch_the_size_of_a_cell_is_a_box_exactly_there(model: Path):
    """A1.7: the box, its class and its score are what the weights say of the pixels."""
    detector = YoloxDetector(model)
    shown = picture(64, 64, red=(16, 32, 32, 48), blue=(48, 0, 64, 16))
    assert places(detector.detect(shown)) == [
        ("blue thing", 1.0, (0.75, 0.0, 0.25, 0.25)),
        ("red thing", 1.0, (0.25, 0.5, 0.25, 0.25)),
    ]
    assert detector.detect(shown)[0].box.time == shown.time


def test_the_answer_depends_on_the_pixels(model: Path):
    detector = YoloxDetector(model)
    assert detector.detect(picture(64, 64)) == ()
    moved = detector.detect(picture(64, 64, red=(32, 0, 48, 16)))
    assert [(one.box.x, one.box.y) for one in moved] == [(0.5, 0.0)]


def test_half_a_patch_is_half_as_sure(model: Path):
    half = picture(64, 64, red=(16, 32, 24, 48))
    half.image[32:48, 24:32] = 0
    assert YoloxDetector(model, score=0.6).detect(half) == ()
    (found,) = YoloxDetector(model, score=0.4).detect(half)
    assert found.box.score == pytest.approx(0.5, abs=1e-3)


def test_a_wide_picture_is_fitted_in_and_boxes_come_back_in_its_own_shares(model: Path):
    """128 × 64 becomes 64 × 32 in the square: a cell there is 32 pixels here."""
    (found,) = YoloxDetector(model).detect(picture(128, 64, blue=(96, 32, 128, 64)))
    box = found.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((0.75, 0.5, 0.25, 0.5))


def test_boxes_end_at_the_edge_of_the_picture(tmp_path: Path):
    model = save_colour_detector(tmp_path / "wide.onnx", (RED,), spread=2.0)
    labels = tmp_path / "labels"
    labels.write_text("red\n")
    detector = YoloxDetector(model, labels_file=labels)
    (found,) = detector.detect(picture(64, 64, red=(0, 0, 16, 16)))
    box = found.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((0, 0, 0.375, 0.375))


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_every_grid_is_read_at_its_own_place(tmp_path: Path, stride: int):
    model = save_colour_detector(tmp_path / "one.onnx", (GREEN,), active=stride)
    (tmp_path / "one.txt").write_text("green\n")
    left, top = 64 - stride, 64 - 2 * stride
    shown = picture(64, 64, green=(left, top, left + stride, top + stride))
    (found,) = YoloxDetector(model).detect(shown)
    box = found.box
    assert (box.x, box.y, box.width) == pytest.approx((left / 64, top / 64, stride / 64))


def test_of_boxes_on_one_thing_the_surest_stays_and_other_kinds_are_left_alone():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [30, 0, 40, 10]], np.float32)
    scores = np.array([0.6, 0.9, 0.5, 0.2], np.float32)
    classes = np.array([0, 0, 1, 0])
    assert suppress(boxes, scores, classes, least=0.1) == [1, 2, 3]
    assert suppress(boxes, scores, classes, least=0.55) == [1]
    assert overlaps(boxes[0], boxes[1:]).tolist() == pytest.approx([9 / 11, 9 / 11, 0])


def test_the_grid_has_the_published_number_of_cells():
    assert len(make_grid(640)) == 80**2 + 40**2 + 20**2 == 8400


def test_the_picture_lies_at_the_upper_left_of_the_square():
    square, scale = letterbox(np.full((50, 100, 3), 7, np.uint8), 64)
    assert scale == 0.64
    assert (square[:32] == 7).all()
    assert (square[32:] == 114).all()


def test_the_vocabulary_of_80_kinds_is_coco_s(tmp_path: Path):
    model = save_colour_detector(tmp_path / "any.onnx", [RED] * 80)
    assert YoloxDetector(model).labels == COCO
    assert (len(set(COCO)), COCO[0], COCO[79]) == (80, "person", "toothbrush")


def test_labels_in_the_file_s_own_notes_count(tmp_path: Path):
    path = save_colour_detector(tmp_path / "noted.onnx", (RED, BLUE))
    noted = onnx.load(str(path))
    helper.set_model_props(noted, {"names": "{0: 'rose', 1: 'sky'}"})
    onnx.save(noted, str(path))
    assert YoloxDetector(path).labels == ("rose", "sky")


def test_labels_are_never_invented(tmp_path: Path):
    model = save_colour_detector(tmp_path / "dumb.onnx", (RED, BLUE))
    with pytest.raises(ModelError, match=r"tells 2 classes apart, and nothing says what they are"):
        YoloxDetector(model)
    short = tmp_path / "short.txt"
    short.write_text("only one\n")
    with pytest.raises(UsageError, match=r"holds 1 labels; dumb.onnx tells 2 classes"):
        YoloxDetector(model, labels_file=short)


def test_a_network_for_something_else_says_what_it_gives(tmp_path: Path):
    model = save_clip_classifier(tmp_path / "clips.onnx")
    with pytest.raises(ModelError, match=r"clip classifier.*logits \[1, 3\]"):
        YoloxDetector(model)


def test_a_detector_of_another_form_says_which_outputs_it_has(tmp_path: Path):
    path = save_graph(
        tmp_path / "other.onnx",
        [helper.make_node("Reshape", ["x", "shape"], ["boxes"])],
        inputs={"x": (1, 3, 64, 64)},
        outputs={"boxes": (1, 1536, 8)},
        weights={"shape": np.array([1, 1536, 8], np.int64)},
    )
    with pytest.raises(ModelError, match=r"not? .*84 cells.*boxes \[1, 1536, 8\]"):
        YoloxDetector(path)


def test_a_network_that_answers_with_no_numbers_is_an_engine_error(tmp_path: Path):
    path = save_colour_detector(tmp_path / "nan.onnx", (RED,), spread=1.0)
    (tmp_path / "nan.txt").write_text("red\n")
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        if tensor.name == "bias16":
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(6, np.nan, np.float32), "bias16"))
    onnx.save(model, str(path))
    with pytest.raises(EngineError, match="NaN"):
        YoloxDetector(path).detect(picture(64, 64))


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x07\x3a\xff\xff\x7f"])
def test_what_is_no_onnx_file_is_said_so(tmp_path: Path, content: bytes):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken.onnx is no ONNX file, or is cut short"):
        YoloxDetector(path)


def test_a_missing_file_is_said_so(tmp_path: Path):
    with pytest.raises(ModelError, match="does not exist"):
        YoloxDetector(tmp_path / "none.onnx")


def test_an_operation_that_opencv_does_not_know_is_a_model_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    graph = helper.make_graph(
        [helper.make_node("Unheard", ["x"], ["boxes"], domain="nowhere")],
        "odd",
        [helper.make_tensor_value_info("x", 1, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("boxes", 1, [1, 84, 8])],
    )
    path = tmp_path / "odd.onnx"
    onnx.save(helper.make_model(graph, ir_version=8), str(path))
    with pytest.raises((ModelError, EngineError), match=r"OpenCV .* cannot (load|run) odd.onnx"):
        YoloxDetector(path, labels_file=None).detect(picture(64, 64))
    assert capfd.readouterr().err == ""
