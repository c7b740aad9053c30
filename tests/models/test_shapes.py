"""Random-weight pairs are true to their architecture, repeatable and whole."""

import json
from importlib.resources import files

import numpy as np
import pytest
from gguf import GGUFReader
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vidcli.errors import ModelError
from vidcli.models.shapes import list_shapes, make_pair, random_tensor
from vidcli.models.vocabulary import CONTROL, build_vocabulary

TINY = tuple(name for name in list_shapes() if name.startswith("tiny-"))
FAMILIES = ("gemma", "internvl", "llava", "qwen", "smolvlm")


def test_every_family_the_engine_knows_has_a_tiny_shape():
    assert set(TINY) == {
        "tiny-gemma3",
        "tiny-idefics3",
        "tiny-internvl",
        "tiny-llava",
        "tiny-qwen25vl",
        "tiny-qwen2vl",
        "tiny-qwen3vl",
    }
    assert "smolvlm2-256m" in list_shapes()


@pytest.mark.parametrize("shape", TINY)
def test_tiny_pairs_have_the_stated_keys_and_tensors_and_finite_varied_weights(shape, tmp_path):
    spec = json.loads((files("vidcli.models") / "shapes" / f"{shape}.json").read_text("utf-8"))
    weights, mmproj = make_pair(shape, tmp_path)
    assert weights.stat().st_size < 3_000_000
    for path, part in ((weights, spec["weights"]), (mmproj, spec["mmproj"])):
        reader = GGUFReader(path)
        for key, value in part["metadata"].items():
            assert reader.fields[key].contents() == pytest.approx(value)
        layers = part["layers"]
        assert len(reader.tensors) == len(part["tensors"]) + layers["count"] * len(
            layers["tensors"]
        )
        for tensor in reader.tensors:
            assert np.isfinite(tensor.data).all()
            if len(tensor.shape) > 1:
                assert tensor.data.std() > 0.01


def test_tile_of_the_tiny_idefics3_is_16_tokens(tmp_path):
    fields = GGUFReader(make_pair("tiny-idefics3", tmp_path)[1]).fields
    side = (
        fields["clip.vision.image_size"].contents() // fields["clip.vision.patch_size"].contents()
    )
    assert (side // fields["clip.vision.projector.scale_factor"].contents()) ** 2 == 16


def test_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path):
    first = make_pair("tiny-idefics3", tmp_path / "a")
    again = make_pair("tiny-idefics3", tmp_path / "b")
    other = make_pair("tiny-idefics3", tmp_path / "c", seed=7)
    for one, same, different in zip(first, again, other, strict=True):
        assert one.read_bytes() == same.read_bytes()
        assert one.read_bytes() != different.read_bytes()


def test_unknown_shape_is_a_model_error_that_lists_the_shapes(tmp_path):
    with pytest.raises(ModelError, match="no model shape 'huge'") as caught:
        make_pair("huge", tmp_path)
    assert "tiny-idefics3" in (caught.value.hint or "")


def test_failed_write_leaves_no_partial_file(tmp_path, monkeypatch):
    def out_of_space(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidcli.models.shapes.random_tensor", out_of_space)
    with pytest.raises(OSError, match="No space left"):
        make_pair("tiny-idefics3", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_q8_weights_have_the_deviation_of_the_float_ones():
    import gguf

    shape = (64, 576)
    blocks = random_tensor("blk.0.attn_q.weight", shape, "Q8_0", seed=0)
    weights = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType.Q8_0)
    assert weights.shape == shape
    assert weights.std() == pytest.approx(576**-0.5, rel=0.02)


@pytest.mark.parametrize("family", FAMILIES)
def test_vocabulary_has_every_byte_line_breaks_and_no_token_twice(family):
    vocabulary = build_vocabulary(family, 1024)
    assert len(vocabulary.tokens) == len(set(vocabulary.tokens)) == len(vocabulary.types) == 1024
    assert "Ċ" in vocabulary.tokens
    assert "ĊĊ" in vocabulary.tokens
    assert all(len(token) == 1 for token in vocabulary.tokens[:256])
    for merge in vocabulary.merges:
        left, right = merge.split(" ")
        assert {left, right, left + right} <= set(vocabulary.tokens)
    for name in (vocabulary.bos, vocabulary.eos, vocabulary.pad):
        assert vocabulary.types[vocabulary.id_of(name)] == CONTROL


def test_vocabulary_too_small_for_its_control_tokens_is_refused():
    with pytest.raises(ValueError, match="needs"):
        build_vocabulary("smolvlm", 300)


@pytest.mark.parametrize("family", FAMILIES)
def test_chat_template_writes_each_turn_and_opens_the_reply(family):
    vocabulary = build_vocabulary(family, 1024)
    template = ImmutableSandboxedEnvironment().from_string(vocabulary.chat_template)
    turns = [
        {"role": "user", "content": "Is it red?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Sure?"},
    ]
    if family == "smolvlm":
        for turn in turns:
            turn["content"] = [{"type": "text", "text": turn["content"]}]
    names = {"bos_token": vocabulary.bos, "eos_token": vocabulary.eos}
    closed = template.render(messages=turns, add_generation_prompt=False, **names)
    opened = template.render(messages=turns, add_generation_prompt=True, **names)
    assert closed.index("Is it red?") < closed.index("Yes.") < closed.index("Sure?")
    assert opened.startswith(closed)
    assert opened != closed
