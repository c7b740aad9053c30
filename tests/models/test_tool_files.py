"""A1.7: a tool is there when its file is, and says why where it is not."""

from pathlib import Path

import pytest

from tests.cli.run import invoke
from tests.hub import Hub, Repo
from tests.tools.nets import (
    RED,
    save_clip_classifier,
    save_colour_detector,
    save_face_finder,
    save_graph,
)
from vidcli.core.onnx_header import OnnxRole
from vidcli.errors import ModelError
from vidcli.models.pull import add_local
from vidcli.models.registry import find_installed
from vidcli.models.tool_files import choose_tool_file, find_tool_file
from vidcli.models.verify import check_headers


def test_nothing_installed_is_a_reason_and_a_remedy():
    """A1.7: absent files."""
    found = find_tool_file(OnnxRole.DETECTOR)
    assert (found.path, found.reason) == (None, "no detector is installed")
    assert found.remedy == "vidcli models pull yolox-s"
    assert find_tool_file(OnnxRole.FACES).remedy == "vidcli models pull yunet"


def test_files_are_found_by_what_they_are_made_for(tmp_path: Path):
    add_local("a", save_clip_classifier(tmp_path / "a.onnx"), None)
    add_local("b", save_colour_detector(tmp_path / "b.onnx", (RED,)), None)
    add_local("c", save_face_finder(tmp_path / "c.onnx"), None)
    names = {role: find_tool_file(role).name for role in OnnxRole if role is not OnnxRole.OTHER}
    assert names == {OnnxRole.ACTIONS: "a", OnnxRole.DETECTOR: "b", OnnxRole.FACES: "c"}
    assert choose_tool_file(OnnxRole.DETECTOR, None) == tmp_path / "b.onnx"
    assert choose_tool_file(OnnxRole.DETECTOR, "B") == tmp_path / "b.onnx"
    (tmp_path / "b.onnx").unlink()
    assert find_tool_file(OnnxRole.DETECTOR).path is None
    model = find_installed("b")
    assert model is not None
    assert "b.onnx" in check_headers(model)


def test_a_pulled_detector_goes_before_others(hub: Hub, tmp_path: Path):
    content = save_colour_detector(tmp_path / "x.onnx", [RED] * 80, side=32).read_bytes()
    hub.repos["opencv/object_detection_yolox"] = Repo(
        {"object_detection_yolox_2022nov.onnx": content}
    )
    add_local("a", save_colour_detector(tmp_path / "a.onnx", (RED,)), None)
    assert invoke("models", "pull", "yolox-s").exit_code == 0
    assert find_tool_file(OnnxRole.DETECTOR).name == "yolox-s"
    assert len(invoke("detect", "--vocabulary").stdout.splitlines()) == 80
    path = find_tool_file(OnnxRole.DETECTOR).path
    assert path is not None
    path.unlink()
    assert find_tool_file(OnnxRole.DETECTOR).name == "a"


def test_a_file_no_tool_can_use_is_not_registered(tmp_path: Path):
    from onnx import helper

    path = save_graph(
        tmp_path / "x.onnx",
        [helper.make_node("Neg", ["x"], ["y"])],
        inputs={"x": (1,)},
        outputs={"y": (1,)},
        weights={},
    )
    with pytest.raises(ModelError, match=r"neither a detector nor .*out: y \[1\]"):
        add_local("x", path, None)
    assert find_installed("x") is None


@pytest.mark.parametrize(
    ("named", "hint"),
    [("yolox-s", "vidcli models pull yolox-s"), ("yolx-s", "did you mean yolox-s")],
)
def test_a_name_that_is_not_here_says_what_to_type(named: str, hint: str):
    with pytest.raises(ModelError) as failure:
        choose_tool_file(OnnxRole.DETECTOR, named)
    assert hint in str(failure.value.hint)
