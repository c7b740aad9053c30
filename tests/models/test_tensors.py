"""Numbers are read out of GGUF files and copied into others as they were."""

import numpy as np
import pytest

from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts
from vidcli.models.tensors import copy_gguf, read_keys, read_tensors, tensor_types

FC = "mm.model.fc.weight"


@pytest.fixture
def mmproj(pairs):
    return pairs("tiny-idefics3")[1]


def test_a_copy_is_the_same_in_every_key_and_number(mmproj, tmp_path):
    copy_gguf(mmproj, tmp_path / "copy.gguf", {})
    assert read_keys(tmp_path / "copy.gguf") == read_keys(mmproj)
    old, new = read_tensors(mmproj), read_tensors(tmp_path / "copy.gguf")
    assert list(old) == list(new)
    assert all(np.array_equal(old[name], new[name]) for name in old)


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0"])
def test_one_tensor_is_replaced_in_the_type_it_was_stored_in(mmproj, tmp_path, kind):
    copy_gguf(mmproj, tmp_path / "base.gguf", {}, kind=kind)
    wanted = np.random.default_rng(0).standard_normal((128, 256)).astype(np.float32)
    copy_gguf(tmp_path / "base.gguf", tmp_path / "new.gguf", {FC: wanted})
    assert tensor_types(tmp_path / "new.gguf") == tensor_types(tmp_path / "base.gguf")
    assert tensor_types(tmp_path / "new.gguf")[FC] == kind
    old, new = read_tensors(tmp_path / "base.gguf"), read_tensors(tmp_path / "new.gguf")
    assert (
        np.abs(new[FC] - wanted).max() <= {"F32": 0, "F16": 2e-3, "BF16": 2e-2, "Q8_0": 3e-2}[kind]
    )
    assert all(np.array_equal(old[name], new[name]) for name in old if name != FC)


def test_vectors_and_positions_stay_exact_in_small_types(mmproj, tmp_path):
    copy_gguf(mmproj, tmp_path / "q.gguf", {}, kind="Q8_0")
    types = tensor_types(tmp_path / "q.gguf")
    assert types["v.position_embd.weight"] == types["v.post_ln.weight"] == "F32"
    assert types["v.patch_embd.weight"] == "F16"
    assert read_facts(tmp_path / "q.gguf").keys["general.file_type"] == 7


def test_what_is_not_in_the_file_cannot_be_replaced(mmproj, tmp_path):
    with pytest.raises(ModelError, match="has no tensor x"):
        copy_gguf(mmproj, tmp_path / "x.gguf", {"x": np.zeros(1, np.float32)})
    with pytest.raises(ModelError, match=r"is \(1, 1\), not \(128, 256\)"):
        copy_gguf(mmproj, tmp_path / "x.gguf", {FC: np.zeros((1, 1), np.float32)})
    assert not (tmp_path / "x.gguf").exists()
