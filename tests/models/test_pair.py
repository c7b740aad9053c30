"""Files that do not belong together are refused from their headers, with the reason."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from vidcli.core.model import GgufFacts
from vidcli.errors import ModelError
from vidcli.models.digest import digest_model
from vidcli.models.gguf import read_facts
from vidcli.models.pair import check_pair, find_mmproj, resolve_files
from vidcli.models.shapes import list_shapes

TINY = tuple(name for name in list_shapes() if name.startswith("tiny-"))


def check(weights: Path, mmproj: Path) -> None:
    check_pair(read_facts(weights), read_facts(mmproj))


@pytest.mark.parametrize("shape", TINY)
def test_pairs_that_belong_together_pass(pairs, shape):
    check(*pairs(shape))


def test_swapped_files_are_named_with_the_right_order(pairs):
    weights, mmproj = pairs("tiny-idefics3")
    with pytest.raises(ModelError, match="are swapped") as caught:
        check(mmproj, weights)
    assert caught.value.hint == f"--model {weights} --mmproj {mmproj}"


def test_language_model_given_as_projector(pairs):
    weights, _ = pairs("tiny-idefics3")
    with pytest.raises(ModelError, match="is a language model, not a vision projector"):
        check(weights, pairs("tiny-llava")[0])


def test_projector_given_as_language_model(pairs):
    _, mmproj = pairs("tiny-idefics3")
    with pytest.raises(ModelError, match=r"is a vision projector \(mmproj\), not a language model"):
        check(mmproj, pairs("tiny-llava")[1])


def test_adapter_given_as_language_model(pairs, copy):
    weights, mmproj = pairs("tiny-idefics3")
    adapter = copy(weights, "lora.gguf", keys={"general.type": "adapter"})
    with pytest.raises(ModelError, match="is a LoRA adapter, not a language model"):
        check(adapter, mmproj)


def test_unknown_projector_and_projector_for_sound(pairs, copy):
    weights, mmproj = pairs("tiny-idefics3")
    future = copy(mmproj, "future.gguf", keys={"clip.projector_type": "idefics9"})
    with pytest.raises(ModelError, match="type 'idefics9', which this llama"):
        check(weights, future)
    unsaid = copy(mmproj, "unsaid.gguf", keys={"clip.projector_type": None})
    with pytest.raises(ModelError, match="type 'unsaid'"):
        check(weights, unsaid)
    sound = copy(mmproj, "sound.gguf", keys={"clip.projector_type": "ultravox"})
    with pytest.raises(ModelError, match="for sound and cannot see"):
        check(weights, sound)


def test_projector_of_another_width(pairs, copy):
    weights, mmproj = pairs("tiny-idefics3")
    wide = copy(mmproj, "wide.gguf", tensors={"mm.model.fc.weight": np.ones((160, 256), "f4")})
    with pytest.raises(ModelError, match="has 160 numbers, the language model takes 128"):
        check(weights, wide)


def test_deepstack_width_counts_its_streams(pairs, copy):
    weights, mmproj = pairs("tiny-qwen3vl")
    lost = tuple(t.name for t in GGUFReader(mmproj).tensors if t.name.startswith("v.deepstack.1."))
    shallow = copy(mmproj, "shallow.gguf", drop_tensors=lost)
    with pytest.raises(ModelError, match="has 256 numbers, the language model takes 384"):
        check(weights, shallow)


def test_vocabulary_without_the_special_tokens_of_the_projector(pairs):
    weights, _ = pairs("tiny-llava")
    _, mmproj = pairs("tiny-idefics3")
    with pytest.raises(ModelError, match="lacks '<fake_token_around_image>', '<global-img>'"):
        check(weights, mmproj)


@pytest.mark.parametrize(
    ("shape", "tensor"),
    [
        ("tiny-idefics3", "v.patch_embd.weight"),
        ("tiny-idefics3", "v.position_embd.weight"),
        ("tiny-idefics3", "v.blk.1.ln1.weight"),
        ("tiny-llava", "v.blk.1.attn_q.bias"),
        ("tiny-internvl", "mm.model.mlp.1.bias"),
        ("tiny-gemma3", "mm.soft_emb_norm.weight"),
        ("tiny-qwen25vl", "v.blk.0.attn_k.weight"),
        ("tiny-qwen3vl", "v.blk.2.attn_qkv.weight"),
    ],
)
def test_missing_vision_tensor_is_named(pairs, copy, shape, tensor):
    weights, mmproj = pairs(shape)
    with pytest.raises(ModelError, match="incomplete: it lacks ") as caught:
        check(weights, copy(mmproj, "holed.gguf", drop_tensors=(tensor,)))
    assert tensor in str(caught.value) or "attn_q.weight" in str(caught.value)


def test_absurd_layer_count_is_found_out_at_once(pairs, copy):
    weights, mmproj = pairs("tiny-idefics3")
    with pytest.raises(ModelError, match=r"lacks v\.blk\.2"):
        check(weights, copy(mmproj, "absurd.gguf", keys={"clip.vision.block_count": 2**32 - 1}))


def test_many_missing_tensors_are_counted_not_listed(pairs):
    weights, mmproj = (read_facts(path) for path in pairs("tiny-idefics3"))
    few = {name: shape for name, shape in mmproj.tensors.items() if not name.startswith("v.blk.")}
    holed = GgufFacts(mmproj.path, mmproj.keys, few, "F32", 1, 1)
    with pytest.raises(ModelError, match=r"lacks v\.blk.*and \d+ more$"):
        check_pair(weights, holed)


def place(folder: Path, *sources: Path) -> Path:
    """Copy files into a directory; returns the first copy."""
    folder.mkdir(exist_ok=True)
    copies = [Path(shutil.copy(source, folder)) for source in sources]
    return copies[0]


def test_projector_is_found_beside_the_weights(pairs, tmp_path):
    weights = place(tmp_path / "m", *pairs("tiny-idefics3"))
    assert find_mmproj(weights).name == "mmproj-tiny-idefics3-f32.gguf"


def test_projector_is_found_by_its_content_where_no_name_tells(pairs, tmp_path):
    weights = place(tmp_path / "m", *pairs("tiny-idefics3"))
    find_mmproj(weights).rename(weights.parent / "vision.gguf")
    assert find_mmproj(weights).name == "vision.gguf"


def test_of_several_projectors_the_one_that_fits_is_found(pairs, tmp_path):
    strangers = (pairs("tiny-qwen3vl")[1], pairs("tiny-gemma3")[1])
    weights = place(tmp_path / "m", *pairs("tiny-idefics3"), *strangers)
    assert find_mmproj(weights).name == "mmproj-tiny-idefics3-f32.gguf"
    (weights.parent / "mmproj-broken.gguf").write_bytes(b"GGUF")
    assert find_mmproj(weights).name == "mmproj-tiny-idefics3-f32.gguf"


def test_several_fitting_projectors_are_listed(pairs, tmp_path):
    weights = place(tmp_path / "m", *pairs("tiny-idefics3"))
    shutil.copy(find_mmproj(weights), weights.parent / "mmproj-again.gguf")
    with pytest.raises(ModelError, match=r"mmproj-again\.gguf, mmproj-tiny") as caught:
        find_mmproj(weights)
    assert "--mmproj" in (caught.value.hint or "")


def test_no_projector_and_none_that_fits(pairs, tmp_path):
    weights = place(tmp_path / "m", pairs("tiny-idefics3")[0])
    with pytest.raises(ModelError, match="has no vision projector beside it"):
        find_mmproj(weights)
    place(weights.parent, pairs("tiny-qwen3vl")[1])
    with pytest.raises(ModelError, match="are of different models"):
        find_mmproj(weights)
    place(weights.parent, pairs("tiny-gemma3")[1])
    with pytest.raises(ModelError, match="none of the vision projectors beside"):
        find_mmproj(weights)


def test_directory_with_one_pair_resolves_to_it_with_digests(pairs, tmp_path):
    weights = place(tmp_path / "m", *pairs("tiny-qwen2vl"))
    files = resolve_files(str(weights.parent))
    assert (files.weights, files.mmproj) == (weights, find_mmproj(weights))
    assert files.weights_sha256 == digest_model(weights)
    assert files.mmproj_sha256 == digest_model(files.mmproj)
    assert files.name == "tiny-qwen2vl-f32"
    assert files.derived_mmproj is None
    assert resolve_files(weights) == resolve_files(weights, files.mmproj) == files


def test_directory_without_or_with_several_models_is_refused(pairs, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match="holds no language model"):
        resolve_files(empty)
    weights = place(tmp_path / "m", *pairs("tiny-qwen2vl"), pairs("tiny-llava")[0])
    with pytest.raises(ModelError, match="several language models: tiny-llava"):
        resolve_files(weights.parent)


def test_lone_projector_named_as_the_model_is_explained(pairs):
    with pytest.raises(ModelError, match="not a language model") as caught:
        resolve_files(pairs("tiny-qwen2vl")[1])
    assert "--mmproj" in (caught.value.hint or "")
