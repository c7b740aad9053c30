"""A GGUF header is read whole and fast, and every other file is refused in one clear sentence."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from vidcli.errors import ModelError
from vidcli.models.gguf import Role, describe_role, missing_tokens, read_facts
from vidcli.models.header import HeaderError, read_header


def test_facts_are_what_the_gguf_package_reads(pairs):
    for path in pairs("tiny-qwen3vl"):
        facts, reader = read_facts(path), GGUFReader(path)
        assert facts.size_bytes == path.stat().st_size
        assert facts.quant == "F32"
        shapes = {t.name: tuple(int(n) for n in t.shape[::-1]) for t in reader.tensors}
        assert facts.tensors == shapes
        assert facts.n_params == sum(t.n_elements for t in reader.tensors)
        for name, field in reader.fields.items():
            if name.startswith("GGUF."):
                continue
            value = field.contents()
            if isinstance(value, list):
                assert facts.keys[f"{name}#"] == len(value)
            else:
                assert facts.keys[name] == value


def test_main_type_is_that_of_most_weights(tmp_path):
    path = tmp_path / "mixed.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_tensor("small", np.zeros((4, 32), np.float32))
    writer.add_tensor("large", np.zeros((40, 32), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert read_facts(path).quant == "F16"


def test_roles_are_told_apart(pairs, copy):
    weights, mmproj = pairs("tiny-idefics3")
    adapter = copy(weights, "lora.gguf", keys={"general.type": "adapter", "adapter.type": "lora"})
    vectors = copy(weights, "embed.gguf", keys={"llama.pooling_type": 1})
    odd = copy(weights, "odd.gguf", keys={"llama.block_count": None, "llama.pooling_type": "x"})
    roles = [describe_role(read_facts(p)) for p in (weights, mmproj, adapter, vectors, odd)]
    assert roles == [Role.WEIGHTS, Role.MMPROJ, Role.ADAPTER, Role.EMBEDDING, Role.OTHER]


def test_missing_tokens_are_found_as_mtmd_would_look_them_up(pairs):
    facts = read_facts(pairs("tiny-idefics3")[0])
    assert missing_tokens(facts, ["\n", "\n\n", "<global-img>", "<row_1_col_1>"]) == ()
    assert missing_tokens(facts, ["<|vision_start|>", "\n", "\n\n\n"]) == (
        "<|vision_start|>",
        "\n\n\n",
    )


def header_with(keys: int = 0, tensors: int = 0, version: int = 3, body: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + body


def key(name: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + value


SAFETENSORS = struct.pack("<Q", 90) + json.dumps({"__metadata__": {}}).encode()
BROKEN = {
    "empty": (b"", "is empty"),
    "text": (b"hello world, this is no model at all\n", "is not a GGUF file"),
    "one byte": (b"G", "ends inside its header"),
    "web page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page"),
    "lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
    "safetensors": (SAFETENSORS, "is a safetensors file"),
    "zip": (b"PK\x03\x04" + bytes(60), "PyTorch checkpoint or an archive"),
    "old ggml": (b"tjgg" + bytes(60), "before GGUF"),
    "json": (b'{"architectures": []}', "is a JSON file"),
    "error page": (b"Entry not found", "is an error page"),
    "version 99": (header_with(version=99), "GGUF version 99"),
    "version 1": (header_with(version=1), "GGUF version 1"),
    "huge key count": (header_with(keys=2**60), "ends inside its header"),
    "huge tensor count": (header_with(tensors=2**60), "ends inside its header"),
    "huge string": (header_with(1, body=struct.pack("<Q", 2**62)), "ends inside its header"),
    "huge array": (
        header_with(1, body=key("a", 9, struct.pack("<IQ", 8, 2**61))),
        "array of 2305843009213693952 texts",
    ),
    "array past the end": (
        header_with(1, body=key("a", 9, struct.pack("<IQ", 4, 2**40))),
        "ends inside its header",
    ),
    "nested array": (
        header_with(1, body=key("a", 9, struct.pack("<IQ", 9, 1))),
        "array of unknown type 9",
    ),
    "unknown value type": (header_with(1, body=key("a", 77, b"")), "unknown type 77"),
    "key twice": (header_with(2, body=key("a", 0, b"\1") * 2), "'a' occurs twice"),
    "odd alignment": (
        header_with(1, body=key("general.alignment", 8, struct.pack("<Q", 1) + b"x")),
        "its alignment is 'x'",
    ),
    "zero alignment": (
        header_with(1, body=key("general.alignment", 4, bytes(4))),
        "its alignment is 0",
    ),
    "five dimensions": (
        header_with(tensors=1, body=struct.pack("<Q", 1) + b"t" + struct.pack("<I", 5)),
        "tensor t has 5 dimensions",
    ),
    "unknown tensor type": (
        header_with(
            tensors=1, body=struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 32, 9999, 0)
        ),
        "tensor of type 9999",
    ),
    "missing data": (
        header_with(
            tensors=1, body=struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 32, 0, 0)
        ),
        "is cut short",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_in_one_sentence_with_a_next_step(case, tmp_path):
    content, cause = BROKEN[case]
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_facts(path)
    message = str(caught.value)
    assert "broken.gguf" in message
    assert cause in message
    assert "\n" not in message
    assert caught.value.hint


def test_missing_file_and_directory_and_pipe_are_refused(tmp_path):
    with pytest.raises(ModelError, match="there is no model file"):
        read_facts(tmp_path / "nowhere.gguf")
    with pytest.raises(ModelError, match="is a directory"):
        read_facts(tmp_path)
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelError, match="is a device or a pipe"):
        read_facts(tmp_path / "pipe.gguf")


def test_every_truncation_of_a_real_file_is_refused(pairs, tmp_path):
    whole = pairs("tiny-idefics3")[1].read_bytes()
    path = tmp_path / "cut.gguf"
    for length in [*range(0, 9000, 61), len(whole) // 2, len(whole) - 33]:
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut\.gguf"):
            read_facts(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_flipped_header_bytes_give_a_header_or_a_header_error(pairs, tmp_path_factory, data):
    original = bytearray(pairs("tiny-llava")[1].read_bytes()[:6000])
    for _ in range(data.draw(st.integers(1, 4))):
        original[data.draw(st.integers(0, 5999))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "flipped.gguf"
    path.write_bytes(original)
    try:
        read_header(path)
    except HeaderError as error:
        assert str(error)  # noqa: PT017 - either outcome is right; anything else is not


def split_in_two(source: Path, folder: Path) -> list[Path]:
    """Write a model as two parts, the way llama.cpp splits: keys in the first, tensors in both."""
    reader = GGUFReader(source)
    tensors = reader.tensors
    parts = []
    for number, share in enumerate((tensors[:4], tensors[4:])):
        path = folder / f"model-{number + 1:05d}-of-00002.gguf"
        writer = GGUFWriter(path, "llama")
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        if number == 0:
            writer.add_uint32("llama.block_count", 2)
        for tensor in share:
            writer.add_tensor(tensor.name, tensor.data)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        parts.append(path)
    return parts


def test_split_model_is_read_as_one(pairs, tmp_path):
    source = pairs("tiny-idefics3")[0]
    first, second = split_in_two(source, tmp_path)
    facts = read_facts(first)
    assert facts.tensors == read_facts(source).tensors
    assert facts.size_bytes == first.stat().st_size + second.stat().st_size
    assert facts.keys["llama.block_count"] == 2


def test_split_model_names_its_missing_wrong_or_renamed_part(pairs, tmp_path):
    first, second = split_in_two(pairs("tiny-idefics3")[0], tmp_path)
    with pytest.raises(ModelError, match="is part 2 of a split model") as caught:
        read_facts(second)
    assert str(first) in (caught.value.hint or "")
    second.unlink()
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.gguf is missing"):
        read_facts(first)
    renamed = first.rename(tmp_path / "renamed.gguf")
    with pytest.raises(ModelError, match="one of 2 parts of a split model, and was renamed"):
        read_facts(renamed)
