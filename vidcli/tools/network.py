"""A network in an ONNX file, run by OpenCV: the only place where `cv2.dnn` is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cv2.utils import logging
from numpy.typing import NDArray

from vidcli.core.onnx_header import OnnxHeader, OnnxRole, read_onnx_header
from vidcli.errors import EngineError, ModelError, VidcliError

Floats = NDArray[np.float32]
ABSURD = 1e30  # OpenCV's layers turn a NaN into numbers of this kind now and then


class Network:
    """A loaded network.

    Args:
        path: The ONNX file.
        role: What it must be made for.

    Raises:
        ModelError: The file is missing, broken, or made for something else.
    """

    def __init__(self, path: Path, *, role: OnnxRole) -> None:
        self.path = path
        self.header = check_onnx(path, role=role)
        with own_errors(path, "load", ModelError):
            self._net: Any = cv2.dnn.readNetFromONNX(str(path))

    def run(self, blob: Floats) -> Floats:
        """The first output for an input.

        Args:
            blob: float32, of the shape that the network's only input has.

        Raises:
            EngineError: OpenCV cannot run the network.
        """
        with own_errors(self.path, "run"):
            self._net.setInput(blob)
            output: Floats = np.asarray(self._net.forward(), np.float32)
        if not (np.abs(output) < ABSURD).all():
            raise EngineError(
                f"{self.path.name} answers with numbers that are none (NaN, infinite)"
            )
        return output


def check_onnx(path: Path, *, role: OnnxRole) -> OnnxHeader:
    """Read the header of an ONNX file and make sure that it is made for the work at hand.

    Raises:
        ModelError: The file is missing, broken, or made for something else.
    """
    try:
        header = read_onnx_header(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path} does not exist") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ModelError(str(error), hint="pull or export it again") from error
    if header.role is not role:
        what = "" if header.role is OnnxRole.OTHER else f"it is a {header.role}; "
        raise ModelError(f"{path.name} is no {role}: {what}{header.describe()}")
    return header


@contextmanager
def own_errors(path: Path, work: str, kind: type[VidcliError] = EngineError) -> Iterator[None]:
    """Turn OpenCV's errors into ours, and keep its remarks off standard error.

    Args:
        path: Of the network.
        work: What OpenCV is to do with it.
        kind: Of the error where it cannot.
    """
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # what fails comes as an exception
    try:
        yield
    except cv2.error as error:
        reason = " ".join((error.err or str(error)).split())
        raise kind(f"OpenCV {cv2.__version__} cannot {work} {path.name}: {reason}") from error
    finally:
        logging.setLogLevel(level)
