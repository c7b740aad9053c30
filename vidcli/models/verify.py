"""Whether the files of an installed model are what they were, and fit each other."""

from collections.abc import Iterator
from pathlib import Path

from vidcli.core.catalog import InstalledModel, Kind, StoredFile
from vidcli.core.onnx_header import read_onnx_header
from vidcli.core.protocols import Progress
from vidcli.errors import VidcliError
from vidcli.models.digest import digest_file
from vidcli.models.gguf import read_facts
from vidcli.models.pair import check_pair


def check_files(
    model: InstalledModel, *, whole: bool, progress: Progress | None = None
) -> Iterator[tuple[Path, str]]:
    """Compare every file with what was installed.

    Args:
        model: Which.
        whole: Read the files through; else only their sizes are compared.
        progress: Of reading.

    Yields:
        Each file, and what is wrong with it; empty where nothing is.
    """
    for file in model.files:
        yield file.path, _check_file(file, whole=whole, progress=progress)


def _check_file(file: StoredFile, *, whole: bool, progress: Progress | None) -> str:
    try:
        size = file.path.stat().st_size if file.path.is_file() else None
        if size is None:
            return "is missing"
        if size != file.size_bytes:
            return f"has {size:,} bytes, not {file.size_bytes:,}"
        if whole and digest_file(file.path, progress=progress) != file.sha256:
            return "has changed: another digest than when it was installed"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    except VidcliError as error:
        return str(error)
    return ""


def check_headers(model: InstalledModel) -> str:
    """Why a model cannot be loaded, as far as the headers of its files tell; empty where it can."""
    if model.kind is Kind.ONNX:
        return _check_onnx(model)
    if not model.kind.is_gguf:
        return ""
    try:
        weights = read_facts(model.weights)
        if model.kind is Kind.VISION:
            if model.mmproj is None:
                return "it has no vision projector"
            check_pair(weights, read_facts(model.mmproj))
    except VidcliError as error:
        return str(error)
    return ""


def _check_onnx(model: InstalledModel) -> str:
    try:
        read_onnx_header(model.weights)
    except OSError as error:
        return f"{model.weights.name} cannot be read: {error.strerror or error}"
    except ValueError as error:
        return str(error)
    return ""
