"""Tiny pairs made once, and copies of them that tests may spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader

from vidcli.models.shapes import make_pair
from vidcli.models.writer import Key, Tensor, write_gguf


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
    """Copy a GGUF file; a key of None and the named tensors are left out, others set (float32)."""
    if not (keys or drop_tensors or tensors):
        return Path(shutil.copy(source, target))
    reader = GGUFReader(source)
    values = {name: field.contents() for name, field in reader.fields.items()}
    values = {**values, **(keys or {})}
    new = tensors or {}
    copied = [
        Tensor(
            name=old.name,
            shape=new.get(old.name, old.data).shape,
            dtype=new.get(old.name, old.data).dtype,
            kind="F32" if old.name in new else old.tensor_type.name,
            load=lambda old=old: new.get(old.name, old.data),
        )
        for old in reader.tensors
        if old.name not in drop_tensors
    ]
    kept = ((k, v) for k, v in values.items() if v is not None and not k.startswith("GGUF."))
    write_gguf(target, [Key(name, value) for name, value in kept], copied)
    return target
