"""ONNX networks made by hand, whose answers on a known picture can be worked out on paper."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
Floats = NDArray[np.float32]


RED, GREEN, BLUE = (1, -1, -1), (-1, 1, -1), (-1, -1, 1)  # weights that only one colour pleases


def save_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    *,
    inputs: dict[str, Sequence[int | str]],
    outputs: dict[str, Sequence[int | str]],
    weights: dict[str, NDArray[np.generic]],
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a graph as an ONNX file; it is checked first."""

    def values(shapes: dict[str, Sequence[int | str]]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in shapes.items()
        ]

    graph = helper.make_graph(
        list(nodes),
        "by hand",
        values(inputs),
        values(outputs),
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def save_colour_detector(
    path: Path,
    colours: Sequence[tuple[float, float, float]],
    *,
    side: int = 64,
    strides: Sequence[int] = (8, 16, 32),
    active: int = 16,
    spread: float = 1.0,
) -> Path:
    """A detector in YOLOX's form: a cell that is wholly of colour c holds an object of class c.

    The score of class c is the mean over the cell of (weights · RGB) / 255, kept within 0 and 1;
    objectness is always 1. Only cells of the stride `active` tell of anything. The box of a cell
    is the cell itself, `spread` times as wide and high.

    Args:
        colours: For each class, weights of red, green and blue.
        side: Of the input, in pixels.
    """
    nodes, weights, parts = [], {}, []
    n = 5 + len(colours)
    for stride in strides:
        kernel = np.zeros((n, 3, stride, stride), np.float32)
        bias = np.zeros(n, np.float32)
        bias[0] = bias[1] = 0.5  # the middle of the cell
        bias[2] = bias[3] = np.log(spread)
        bias[4] = 1.0
        if stride == active:
            for number, colour in enumerate(colours):
                kernel[5 + number] = np.array(colour, np.float32)[:, None, None] / 255 / stride**2
        weights |= {f"kernel{stride}": kernel, f"bias{stride}": bias}
        name = f"head{stride}"
        nodes += [
            helper.make_node(
                "Conv",
                ["images", f"kernel{stride}", f"bias{stride}"],
                [name],
                kernel_shape=[stride, stride],
                strides=[stride, stride],
            ),
            helper.make_node("Reshape", [name, "flat"], [f"{name}flat"]),
        ]
        parts.append(f"{name}flat")
    weights["flat"] = np.array([1, n, -1], np.int64)
    weights |= {"low": np.float32(0).reshape(()), "high": np.float32(1).reshape(())}
    cells = sum((side // stride) ** 2 for stride in strides)
    nodes += [
        helper.make_node("Concat", parts, ["all"], axis=2),
        helper.make_node("Transpose", ["all"], ["raw"], perm=[0, 2, 1]),
        helper.make_node("Slice", ["raw", "from0", "to5", "axis2"], ["places"]),
        helper.make_node("Slice", ["raw", "to5", "toend", "axis2"], ["classes"]),
        helper.make_node("Clip", ["classes", "low", "high"], ["scores"]),
        helper.make_node("Concat", ["places", "scores"], ["output"], axis=2),
    ]
    weights |= {
        "from0": np.array([0], np.int64),
        "to5": np.array([5], np.int64),
        "toend": np.array([n], np.int64),
        "axis2": np.array([2], np.int64),
    }
    return save_graph(
        path,
        nodes,
        inputs={"images": (1, 3, side, side)},
        outputs={"output": (1, cells, n)},
        weights=weights,
    )


def save_clip_classifier(path: Path, *, size: int = 112, length: int = 16) -> Path:
    """A classifier of clips: class 0 `bright`, 1 `dark`, 2 `moving`, as logits.

    With m the mean of the centred red channel over the whole clip, and d the mean absolute
    difference of neighbouring pictures in red: bright m/10, dark −m/10, moving d − 2.
    """
    nodes = [
        helper.make_node("Slice", ["clip", "z", "one", "axis1"], ["red"]),
        helper.make_node("ReduceMean", ["red"], ["m4"], axes=[2, 3, 4], keepdims=0),
        helper.make_node("Div", ["m4", "ten"], ["bright"]),
        helper.make_node("Neg", ["bright"], ["dark"]),
        helper.make_node("Slice", ["red", "one", "len", "axis2"], ["later"]),
        helper.make_node("Slice", ["red", "z", "lenless", "axis2"], ["sooner"]),
        helper.make_node("Sub", ["later", "sooner"], ["step"]),
        helper.make_node("Abs", ["step"], ["size"]),
        helper.make_node("ReduceMean", ["size"], ["d"], axes=[2, 3, 4], keepdims=0),
        helper.make_node("Sub", ["d", "two"], ["moving"]),
        helper.make_node("Concat", ["bright", "dark", "moving"], ["logits"], axis=1),
    ]
    whole = {"z": 0, "one": 1, "axis1": 1, "axis2": 2, "len": length, "lenless": length - 1}
    weights: dict[str, NDArray[np.generic]] = {
        name: np.array([value], np.int64) for name, value in whole.items()
    }
    weights |= {
        "ten": np.float32(10).reshape((1, 1)),
        "two": np.float32(2).reshape((1, 1)),
    }
    return save_graph(
        path,
        nodes,
        inputs={"clip": (1, 3, length, size, size)},
        outputs={"logits": (1, 3)},
        weights=weights,
    )


def save_face_finder(path: Path, *, strides: Sequence[int] = (8, 16, 32)) -> Path:
    """YuNet's twelve outputs: a wholly green cell of stride 16 is a face, as large as the cell.

    Pictures come in blue, green, red; the score of a cell is its mean of green − red − blue, as a
    share of 255.
    """
    nodes, weights, outputs = [], {}, {}
    for stride in strides:
        for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            kernel = np.zeros((width, 3, stride, stride), np.float32)
            bias = np.zeros(width, np.float32)
            if kind == "cls" and stride == 16:
                kernel[0] = np.array((-1, 1, -1), np.float32)[:, None, None] / 255 / stride**2
            if kind == "obj":
                bias[:] = 1
            if kind == "bbox":
                bias[:2] = 0.5
            name = f"{kind}_{stride}"
            weights |= {f"k{name}": kernel, f"b{name}": bias}
            weights[f"w{width}"] = np.array([1, width, -1], np.int64)
            nodes += [
                helper.make_node(
                    "Conv",
                    ["input", f"k{name}", f"b{name}"],
                    [f"c{name}"],
                    kernel_shape=[stride, stride],
                    strides=[stride, stride],
                ),
                helper.make_node("Reshape", [f"c{name}", f"w{width}"], [f"r{name}"]),
                helper.make_node("Transpose", [f"r{name}"], [name], perm=[0, 2, 1]),
            ]
            outputs[name] = (1, "cells", width)
    return save_graph(
        path,
        nodes,
        inputs={"input": (1, 3, "height", "width")},
        outputs=outputs,
        weights=weights,
    )


def draw_squares(number: int, size: tuple[int, int]) -> np.ndarray:
    """A red square that goes right cell by cell, and a blue one that rests, from frame 25 on."""
    image = np.full((size[1], size[0], 3), 114, np.uint8)
    left = 16 * (number // 10)
    image[16:32, left : left + 16] = (255, 0, 0)
    if number >= 25:
        image[96:112, 0:16] = (0, 0, 255)
    return image
