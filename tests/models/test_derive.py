"""A derived projector changes what it says and nothing else, is made once, and heals damage."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from gguf.quants import dequantize
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.model import Detail, ModelFiles
from vidcli.errors import ModelError, ResourceError
from vidcli.models import derive
from vidcli.models.derive import derive_mmproj
from vidcli.models.gguf import read_facts
from vidcli.models.hardware import Cpu
from vidcli.models.resample import shrink_positions
from vidcli.models.writer import Key, Tensor, write_gguf

FAST_BF16 = Cpu("fast", frozenset({"avx512_bf16"}), 2)
PLAIN = Cpu("plain", frozenset({"avx2"}), 2)


@pytest.fixture
def half(pairs, tmp_path) -> Callable[[str], ModelFiles]:
    """The pair of a shape with an f16 projector, as llama.cpp's conversion writes one."""

    def make(shape: str) -> ModelFiles:
        weights, mmproj = pairs(shape)
        reader = GGUFReader(mmproj)
        tensors = []
        for old in reader.tensors:
            small = len(old.shape) == 1 or "position_embd" in old.name
            data = np.array(old.data if small else old.data.astype(np.float16))
            kind = "F32" if small else "F16"
            tensors.append(Tensor(old.name, data.shape, data.dtype, kind, lambda data=data: data))
        keys = [
            Key(name, field.contents(), tuple(field.types[:2]))
            for name, field in reader.fields.items()
            if not name.startswith("GGUF.")
        ]
        path = tmp_path / f"mmproj-{shape}-f16.gguf"
        write_gguf(path, keys, tensors)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return ModelFiles(weights, path, "0" * 64, digest, shape)

    return make


def run(files: ModelFiles, detail: Detail = Detail.NORMAL, cpu: Cpu | None = FAST_BF16):
    return derive_mmproj(files, read_facts(files.mmproj), detail=detail, cpu=cpu)


def derived_reader(files: ModelFiles, **how: object) -> GGUFReader:
    result, warnings = run(files, **how)
    assert warnings == ()
    assert result.derived_mmproj is not None
    return GGUFReader(result.derived_mmproj)


def test_bf16_rewrites_the_matrices_and_nothing_else(half):
    files = half("tiny-qwen3vl")
    old, new = GGUFReader(files.mmproj), derived_reader(files)
    changed = set()
    for before, after in zip(old.tensors, new.tensors, strict=True):
        assert before.name == after.name
        assert list(before.shape) == list(after.shape)
        if after.tensor_type == before.tensor_type:
            assert np.array_equal(before.data, after.data)
            continue
        assert after.tensor_type.name == "BF16"
        changed.add(before.name)
        exact = before.data.astype(np.float32)
        widened = dequantize(after.data, after.tensor_type)
        assert np.abs(widened - exact).max() <= np.abs(exact).max() * 2**-8
    assert {"v.blk.0.attn_qkv.weight", "v.blk.2.ffn_down.weight", "mm.2.weight"} <= changed
    assert "v.patch_embd.weight" not in changed  # a convolution: no bf16 kernel
    for name, field in old.fields.items():
        if name not in ("general.file_type", "GGUF.kv_count"):
            assert new.fields[name].contents() == field.contents()
            assert new.fields[name].types == field.types


def test_bf16_rounds_to_nearest_even():
    values = np.array([[1.0, 1.00390625, 1.01171875, -2.5, 65504.0]], np.float16)
    got = dequantize(derive._as_bf16(values), derive_type())
    assert got.tolist() == [[1.0, 1.0, 1.015625, -2.5, 65536.0]]


def derive_type():
    from gguf import GGMLQuantizationType

    return GGMLQuantizationType.BF16


@pytest.mark.parametrize("cpu", [PLAIN, None])
def test_nothing_is_derived_where_bf16_is_not_faster(half, cpu):
    files = half("tiny-idefics3")
    assert run(files, cpu=cpu) == (files, ())


def test_projector_that_is_not_f16_is_left_alone(pairs):
    weights, mmproj = pairs("tiny-idefics3")
    files = ModelFiles(weights, mmproj, "0" * 64, "1" * 64, "f32")
    assert run(files) == (files, ())


@pytest.mark.parametrize(
    ("shape", "size", "rows"),
    [
        ("tiny-idefics3", 64, 16),
        ("tiny-gemma3", 56, 16),
        ("tiny-llava", 28, 5),
        ("tiny-internvl", 56, 17),
    ],
)
def test_low_detail_halves_the_input_side(half, shape, size, rows):
    files = half(shape)
    result, _ = run(files, detail=Detail.LOW, cpu=PLAIN)
    assert result.derivation == f"{size}px"
    facts = read_facts(result.derived_mmproj)
    assert facts.keys["clip.vision.image_size"] == size
    width = facts.keys["clip.vision.embedding_length"]
    assert facts.tensors["v.position_embd.weight"] == (rows, width)
    before = {t.name: t for t in GGUFReader(files.mmproj).tensors}
    for tensor in GGUFReader(result.derived_mmproj).tensors:
        if tensor.name != "v.position_embd.weight":
            assert np.array_equal(tensor.data, before[tensor.name].data)
    if rows % 2:  # the class token's row is kept
        old = before["v.position_embd.weight"].data
        new = GGUFReader(result.derived_mmproj).tensors
        table = next(t.data for t in new if t.name == "v.position_embd.weight")
        assert np.array_equal(table[0], old[0])


def test_tile_limit_shrinks_along_so_that_tiles_stay_as_many(half):
    files = half("tiny-idefics3")
    key = "clip.vision.preproc_image_size"
    reader = derived_reader(files, detail=Detail.LOW)
    assert reader.fields[key].contents() == read_facts(files.mmproj).keys[key] // 2


def test_both_changes_go_into_one_file(half):
    result, _ = run(half("tiny-idefics3"), detail=Detail.LOW)
    assert result.derivation == "bf16+64px"
    facts = read_facts(result.derived_mmproj)
    assert facts.quant == "BF16"
    assert facts.keys["clip.vision.image_size"] == 64


@pytest.mark.parametrize("shape", ["tiny-qwen2vl", "tiny-qwen25vl", "tiny-qwen3vl"])
def test_low_detail_of_a_free_input_size_needs_no_file(half, shape):
    files = half(shape)
    assert run(files, detail=Detail.LOW, cpu=PLAIN) == (files, ())


def test_low_detail_is_refused_where_it_cannot_be(half, copy, pairs):
    weights, mmproj = pairs("tiny-idefics3")
    for keys, cause in (
        ({"clip.projector_type": "resampler"}, "a resampler projector cannot be given a smaller"),
        ({"clip.vision.projector.scale_factor": 8}, "merged 8 × 8, cannot be halved"),
        ({"clip.vision.image_size": 96}, "grid of 6 × 6"),
    ):
        odd = copy(mmproj, "odd.gguf", keys=keys)
        files = ModelFiles(weights, odd, "0" * 64, "1" * 64, "odd")
        with pytest.raises(ModelError, match=cause) as caught:
            run(files, detail=Detail.LOW)
        assert caught.value.hint == "use --detail normal"


def test_second_time_reuses_the_file_and_the_original_is_untouched(half):
    files = half("tiny-idefics3")
    original = files.mmproj.read_bytes()
    first, _ = run(files)
    stat = first.derived_mmproj.stat()
    second, _ = run(files)
    assert second == first
    again = second.derived_mmproj.stat()
    assert (again.st_ino, again.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    assert files.mmproj.read_bytes() == original


def test_damage_that_only_shows_when_rewriting_stops_low_detail_alone(half, tmp_path):
    files = half("tiny-idefics3")
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(files.mmproj.read_bytes().replace(b"v.blk.0.ln1", b"v.blk.0.l\xff1"))
    files = ModelFiles(files.weights, damaged, "0" * 64, "2" * 64, "damaged")
    with pytest.raises(ModelError, match=r"damaged\.gguf is damaged"):
        run(files, detail=Detail.LOW)
    result, (warning,) = run(files)  # llama.cpp may still take it as it is
    assert result == files
    assert "it runs as given" in warning


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def another_recipe(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"bf16 v1", b"bf16 v0"))


@pytest.mark.parametrize("damage", [cut, empty, another_recipe])
def test_damaged_or_older_derivation_is_made_anew(half, damage):
    files = half("tiny-idefics3")
    made = run(files)[0].derived_mmproj
    content = made.read_bytes()
    damage(made)
    assert run(files)[0].derived_mmproj == made
    assert made.read_bytes() == content
    assert [path.name for path in made.parent.iterdir()] == [made.name]


@pytest.mark.parametrize(
    ("detail", "said"), [(Detail.NORMAL, "it runs as given"), (Detail.LOW, "in normal detail")]
)
def test_unwritable_cache_falls_back_to_the_original_and_says_so(half, cache, detail, said):
    files = half("tiny-idefics3")
    cache.write_text("a file where the directory should be")
    result, (warning,) = run(files, detail=detail)
    assert result == files
    assert said in warning
    assert str(cache) in warning


def test_full_disk_is_an_error_only_where_the_derivation_was_asked_for(half, monkeypatch):
    files = half("tiny-idefics3")
    monkeypatch.setattr(derive, "read_free_disk", lambda _path: 1000)
    result, (warning,) = run(files)
    assert result == files
    assert "no room" in warning
    with pytest.raises(ResourceError, match="no room on the disk") as caught:
        run(files, detail=Detail.LOW)
    assert "--detail normal" in (caught.value.hint or "")


def test_disk_that_fills_up_while_writing_leaves_nothing(half, monkeypatch, cache):
    def fill(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(derive, "_as_bf16", fill)
    files = half("tiny-idefics3")
    result, (warning,) = run(files)
    assert result == files
    assert "No space left" in warning
    assert list((cache / "derived").iterdir()) == []


@given(st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_shrinking_keeps_constants_and_the_class_row(new, factor, has_class):
    old = new * factor if new * factor <= 64 else new
    table = np.full((old**2 + has_class, 3), 2.5, np.float32)
    table[:has_class] = 9
    small = shrink_positions(table, old=old, new=new)
    assert small.shape == (new**2 + has_class, 3)
    assert np.allclose(small[has_class:], 2.5)
    assert np.all(small[:has_class] == 9)


def test_shrinking_keeps_a_slope_and_the_order_of_rows_and_columns():
    rows, columns = np.mgrid[0:32, 0:32].astype(np.float32)
    table = np.stack([rows.ravel(), columns.ravel()], axis=1)
    small = shrink_positions(table, old=32, new=16).reshape(16, 16, 2)
    expected = np.arange(16) * 2 + 0.5  # pixel centres of the coarser grid
    inner = slice(2, 14)  # at the edge the filter has nothing outside to lean on
    assert np.allclose(small[inner, 5, 0], expected[inner], atol=1e-3)
    assert np.allclose(small[5, inner, 1], expected[inner], atol=1e-3)


def test_same_size_changes_nothing():
    table = np.random.default_rng(0).standard_normal((49, 5), np.float32)
    assert np.allclose(shrink_positions(table, old=7, new=7), table, atol=1e-6)


def test_table_of_another_grid_is_refused():
    with pytest.raises(ValueError, match="no 8 × 8 grid"):
        shrink_positions(np.zeros((66, 4), np.float32), old=8, new=4)
