"""Which files of a repository are taken, and what is said where there are none."""

from collections.abc import Sequence

import pytest

from vidcli.errors import ModelError
from vidcli.models.catalog import find_model, list_models
from vidcli.models.choose import Choice, choose_files
from vidcli.models.fit import bill_of, fits_memory, say_bill
from vidcli.models.hardware import Memory
from vidcli.models.naming import is_weights, matches
from vidcli.models.transfer import Wanted

GB = 10**9
QWEN = [
    ("Qwen3VL-4B-Instruct-F16.gguf", 8 * GB),
    ("Qwen3VL-4B-Instruct-Q4_K_M.gguf", 2 * GB),
    ("Qwen3VL-4B-Instruct-Q8_0.gguf", 4 * GB),
    ("README.md", 9),
    ("mmproj-Qwen3VL-4B-Instruct-F16.gguf", 800 * 10**6),
    ("mmproj-Qwen3VL-4B-Instruct-Q8_0.gguf", 450 * 10**6),
]
# Names and repositories as public pages and programs give them, one of each family.
PUBLISHED = {
    "smolvlm2-2.2b": ("SmolVLM2-2.2B-Instruct-Q4_K_M", "mmproj-SmolVLM2-2.2B-Instruct-f16"),
    "qwen2.5-vl-7b": ("Qwen2.5-VL-7B-Instruct-Q4_K_M", "mmproj-Qwen2.5-VL-7B-Instruct-Q8_0"),
    "qwen3-vl-2b": ("Qwen3VL-2B-Instruct-Q4_K_M", "mmproj-Qwen3VL-2B-Instruct-Q8_0"),
    "gemma-3-4b": ("gemma-3-4b-it-Q4_K_M", "mmproj-model-f16"),
    "gemma-4-e2b": ("gemma-4-E2B-it-Q4_0", "mmproj-gemma-4-E2B-it-Q8_0"),
    "internvl3-1b": ("InternVL3-1B-Instruct-Q8_0", "mmproj-InternVL3-1B-Instruct-Q8_0"),
    "minicpm-v-4.5": ("MiniCPM-V-4_5-Q4_K_M", "mmproj-model-f16"),
    "minicpm-v-4": ("ggml-model-Q4_K_M", "mmproj-model-f16"),
    "lfm2-vl-450m": ("LFM2-VL-450M-Q8_0", "mmproj-LFM2-VL-450M-Q8_0"),
    "moondream2": ("moondream2-text-model-f16_ct-vicuna", "moondream2-mmproj-f16-20250414"),
}  # fmt: skip


def choose(
    files: Sequence[tuple[str, int]], name: str = "", *, quant: str = "", room: int = 100 * GB
) -> Choice:
    return choose_files(
        "maker/model",
        [Wanted(file, size, "a" * 64) for file, size in files],
        spec=find_model(name) if name else None,
        quant=quant,
        fits=lambda weights, mmproj: weights + mmproj <= room,
        fast_bf16=False,
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_catalog_finds_the_published_files(name: str):
    weights, mmproj = PUBLISHED[name]
    choice = choose([(f"{weights}.gguf", 9), (f"{mmproj}.gguf", 5), ("mtp-x.gguf", 3)], name)
    assert [file.name for file in choice.files] == [f"{weights}.gguf", f"{mmproj}.gguf"]


def test_the_first_preferred_quant_that_fits_is_taken():
    choice = choose(QWEN, "qwen3-vl-4b")
    assert (choice.quant, choice.weights_bytes, choice.mmproj_bytes) == (
        "Q4_K_M",
        2 * GB,
        45 * 10**7,
    )
    assert set(choice.others) == {"F16", "Q8_0"}


def test_what_does_not_fit_is_passed_over_and_the_smallest_taken_at_last():
    files = [("SmolVLM2-500M-Q8_0.gguf", 4 * GB), ("SmolVLM2-500M-F16.gguf", 2 * GB)]
    files.append(("mmproj.gguf", 0))
    assert choose(files, "smolvlm2-500m").quant == "Q8_0"
    assert choose(files, "smolvlm2-500m", room=3 * GB).quant == "F16"
    assert choose(files, "smolvlm2-500m", room=GB).quant == "F16"


def test_a_named_quant_is_taken_whatever_the_memory():
    assert choose(QWEN, quant="q8_0", room=0).quant == "Q8_0"
    with pytest.raises(ModelError, match="has no quant Q5_K_M") as failed:
        choose(QWEN, quant="Q5_K_M")
    assert "Q4_K_M" in str(failed.value.hint)


def test_a_split_model_is_taken_whole_or_not():
    parts = [(f"m-Q4_K_M-0000{n}-of-00003.gguf", GB) for n in (2, 1, 3)]
    files = [*parts, ("mmproj-f16.gguf", 5)]
    choice = choose(files)
    assert [file.name for file in choice.weights] == sorted(name for name, _ in parts)
    assert choice.weights_bytes == 3 * GB
    with pytest.raises(ModelError, match="2 of 3 parts"):
        choose(files[1:])


def test_renamed_files_are_found_by_pattern_and_missing_ones_are_named():
    renamed = [("SMOLVLM2-500m-v2.Q8_0.gguf", 9), ("new-MMPROJ.gguf", 5)]
    assert choose(renamed, "smolvlm2-500m").quant == "Q8_0"
    with pytest.raises(ModelError, match=r"no file that fits SmolVLM2-500M\*\.gguf"):
        choose([("other.gguf", 9), ("mmproj.gguf", 5)], "smolvlm2-500m")
    with pytest.raises(ModelError, match="no vision projector"):
        choose([("other.gguf", 9)])


def test_every_entry_of_the_catalog_is_whole():
    names = [spec.name for spec in list_models()]
    assert len(names) == len(set(names))
    for spec in list_models():
        assert spec.repo.count("/") == 1
        assert spec.name == spec.name.casefold()
        assert spec.bytes > 0
        assert spec.size_class in ("tiny", "small", "medium", "large")
        assert spec.licence
        assert spec.strengths
        assert not spec.mmproj or matches("mmproj-model-f16.gguf", spec.mmproj)
        assert not is_weights("mmproj-model-f16.gguf", spec.weights)


def test_the_arithmetic_adds_up_and_says_so():
    bill = bill_of(find_model("smolvlm2-500m"), 436_808_704, 108_783_360, n_ctx=8192)
    assert bill.kv_cache == 32 * 5 * 2 * 64 * 2 * 8192  # layers, KV heads, key and value, float16
    assert bill.total == bill.weights + bill.mmproj + bill.kv_cache + bill.margin
    assert fits_memory(bill, Memory(2 * bill.total, bill.total))
    assert not fits_memory(bill, Memory(2 * bill.total, bill.total - 1))
    assert say_bill(bill, Memory(8 * 2**30, 4 * 2**30)) == (
        "weights 416.6 MiB + projector 103.7 MiB + context of 8192 cells 320.0 MiB"
        " + margin 512.0 MiB = 1.3 GiB of memory, of 4.0 GiB free"
    )
