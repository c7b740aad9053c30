"""The header of an ONNX file, read without any library: against files written by `onnx` itself."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from tests.tools.nets import (
    RED,
    save_clip_classifier,
    save_colour_detector,
    save_face_finder,
    save_graph,
)
from vidcli.core.onnx_header import OnnxRole, Port, read_onnx_header


def test_ports_are_those_of_the_file(tmp_path: Path):
    header = read_onnx_header(save_colour_detector(tmp_path / "a.onnx", (RED,)))
    assert header.inputs == (Port("images", (1, 3, 64, 64)),)
    assert header.outputs == (Port("output", (1, 84, 6)),)
    assert header.describe() == "in: images [1, 3, 64, 64]; out: output [1, 84, 6]"


def test_free_sides_are_none_and_weights_are_no_inputs(tmp_path: Path):
    path = save_face_finder(tmp_path / "f.onnx")
    model = onnx.load(str(path))
    weights = model.graph.initializer[0]
    model.graph.input.append(helper.make_tensor_value_info(weights.name, 1, list(weights.dims)))
    onnx.save(model, str(path))
    header = read_onnx_header(path)
    assert header.inputs == (Port("input", (1, 3, None, None)),)
    assert len(header.outputs) == 12


def test_notes_are_read(tmp_path: Path):
    path = save_graph(
        tmp_path / "n.onnx",
        [helper.make_node("Neg", ["x"], ["y"])],
        inputs={"x": (1,)},
        outputs={"y": (1,)},
        weights={"unused": np.zeros(3, np.float32)},
        metadata={"names": "a,b", "größe": "1"},
    )
    header = read_onnx_header(path)
    assert header.notes == {"names": "a,b", "größe": "1"}
    assert header.role is OnnxRole.OTHER


def test_roles_are_told_by_shapes(tmp_path: Path):
    detector = save_colour_detector(tmp_path / "d.onnx", (RED,))
    faces = save_face_finder(tmp_path / "f.onnx")
    clips = save_clip_classifier(tmp_path / "c.onnx")
    roles = [read_onnx_header(path).role for path in (detector, faces, clips)]
    assert roles == [OnnxRole.DETECTOR, OnnxRole.FACES, OnnxRole.ACTIONS]


def test_a_file_cut_anywhere_is_refused_or_read_never_worse(tmp_path: Path):
    whole = save_colour_detector(tmp_path / "w.onnx", (RED,)).read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(1, len(whole), 997):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="no ONNX file"):
            read_onnx_header(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.mktemp("any") / "any.onnx"
    path.write_bytes(content)
    with suppress(ValueError):
        read_onnx_header(path)
