"""Tiny pairs made once, and copies of them that tests may spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter

from vidcli.models.shapes import add_key, make_pair


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """The pair of a shape; shared, so not to be written to."""
    folder = tmp_path_factory.mktemp("pairs")
    made: dict[str, tuple[Path, Path]] = {}

    def pair(shape: str) -> tuple[Path, Path]:
        if shape not in made:
            made[shape] = make_pair(shape, folder / shape)
        return made[shape]

    return pair


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of the test's own."""
    folder = tmp_path / "cache-of-the-test"
    monkeypatch.setenv("VIDCLI_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Callable[..., Path]:
    """Copy a GGUF file, changing keys and tensors on the way."""
    return lambda source, name, **changes: rewrite(source, tmp_path / name, **changes)


def rewrite(
    source: Path,
    target: Path,
    *,
    keys: dict[str, Any] | None = None,
    drop_tensors: tuple[str, ...] = (),
    tensors: dict[str, np.ndarray] | None = None,
) -> Path:
    """Copy a GGUF file; a key of None and the named tensors are left out, others replaced."""
    if not (keys or drop_tensors or tensors):
        return Path(shutil.copy(source, target))
    reader = GGUFReader(source)
    values = {name: field.contents() for name, field in reader.fields.items()}
    values = {**values, **(keys or {})}
    writer = GGUFWriter(target, values.pop("general.architecture"))
    for name, value in values.items():
        if not name.startswith("GGUF.") and value is not None:
            add_key(writer, name, value)
    for tensor in reader.tensors:
        if tensor.name in drop_tensors:
            continue
        data = (tensors or {}).get(tensor.name, tensor.data)
        kind = None if tensor.name in (tensors or {}) else tensor.tensor_type
        writer.add_tensor(tensor.name, data, raw_dtype=kind and GGMLQuantizationType(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
