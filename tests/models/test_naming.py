"""File names of real repositories tell quant, parts and what is no language model."""

import pytest

from vidcli.models.naming import count_parts, group_parts, is_weights, read_quant


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("SmolVLM2-500M-Video-Instruct-Q8_0.gguf", "Q8_0"),
        ("moondream2-text-model-f16_ct-vicuna.gguf", "F16"),
        ("nomic-embed-text-v1.5.Q4_K_M.gguf", "Q4_K_M"),
        ("x/Model-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("Model-IQ3_XXS-00001-of-00003.gguf", "IQ3_XXS"),
        ("mmproj-model-f16.gguf", "F16"),
        ("qwen2_5-omni-3b-q4_k_m.gguf", "Q4_K_M"),
        ("Model-fp16.gguf", "F16"),
        ("Qwen3VL-4B.gguf", ""),
    ],
)
def test_a_file_name_tells_its_quant(path: str, quant: str):
    assert read_quant(path) == quant


@pytest.mark.parametrize(
    "path", ["mmproj-model-f16.gguf", "a/imatrix.gguf", "mtp-gemma-4-E2B-it.gguf", "README.md"]
)
def test_a_companion_is_no_language_model(path: str):
    assert not is_weights(path, "*.gguf")


def test_parts_of_a_split_are_one_model_in_order():
    paths = ["m-00002-of-00002.gguf", "m-00001-of-00002.gguf", "other.gguf"]
    assert group_parts(paths) == {
        "m.gguf": ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"],
        "other.gguf": ["other.gguf"],
    }
    assert (count_parts(paths[0]), count_parts("other.gguf")) == (2, 1)
