"""Bundles: what training makes `ask` loads; what llama.cpp cannot carry is refused."""

import json

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'parity'")

import jsonschema
from safetensors.numpy import save_file

from tests.cli.run import invoke
from tests.train.conftest import TAUGHT
from vidcli.models.bundle import read_bundle
from vidcli.models.gguf import read_facts
from vidcli.models.pair import resolve_files
from vidcli.models.tensors import read_tensors
from vidcli.output.schema import load_schema
from vidcli.train.pair import read_layout

pytestmark = pytest.mark.train

COLOUR = "Which colour is it? Answer in one word."


def answer(world, model, *more: str) -> str:
    result = invoke(
        "ask", str(world.video(TAUGHT)), COLOUR, "--model", str(model), "--max-tokens", "8",
        "--threads", "1", *more,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("options", "quants"),
    [
        ((), ("F32", "F32")),
        (("--quantize", "q8_0", "--mmproj-type", "q8_0"), ("Q8_0", "F16")),
        (("--merge",), ("F32", "F32")),
        (("--merge", "--quantize", "Q8_0", "--mmproj-type", "F16"), ("Q8_0", "F16")),
    ],
)
def test_an_exported_bundle_answers_as_the_run_does(options, quants, tuned, world, tmp_path):
    out = tmp_path / "out"
    result = invoke("train", "export", str(tuned.folder), "--out", str(out), "--json", *options)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("bundle"))
    bundle = read_bundle(out)
    assert (bundle.adapter is None) == ("--merge" in options)
    assert read_facts(bundle.weights).quant == quants[0]
    assert bundle.history == read_bundle(tuned.folder).history
    assert answer(world, out) == answer(world, tuned.folder)


def test_a_merged_adapter_is_the_adapter(tuned, tmp_path):
    from tests.train import serving
    from vidcli.core.prompt import Prompt

    invoke("train", "export", str(tuned.folder), "--out", str(tmp_path / "m"), "--merge")
    logits = []
    for folder in (tuned.folder, tmp_path / "m"):
        with serving.served(resolve_files(folder)) as session:
            from vidcli.core.prompt import TextPart

            parts = session.render_chat([("user", (TextPart(COLOUR),))])
            logits.append(session.prefill(Prompt(parts)).logits)
    assert np.abs(logits[0] - logits[1]).max() < 2e-2


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("{tuned}", "--out", "{tmp}/x", "--quantize", "Q9"), 2, "knows no type Q9"),
        (("{tuned}", "--out", "{tmp}/x", "--mmproj-type", "Q4_K"), 2, "cannot be written as Q4_K"),
        (("{seeing}", "--out", "{tmp}/x", "--merge"), 2, "has no adapter to merge"),
        (("{tuned}", "--out", "{tuned}"), 2, "holds a bundle already"),
        (("{tmp}", "--out", "{tmp}/x"), 4, "vidcli.json cannot be read"),
    ],
)
def test_what_cannot_be_exported_says_why(arguments, code, reason, tuned, seeing, tmp_path):
    names = {"tuned": tuned.folder, "seeing": seeing.folder, "tmp": tmp_path}
    result = invoke("train", "export", *(text.format(**names) for text in arguments))
    assert (result.exit_code, reason in result.stderr) == (code, True), result.stderr


# peft adapters made elsewhere

Q0 = "base_model.model.model.text_model.layers.0.self_attn.q_proj"


def peft_folder(tmp_path, state, **config):
    folder = tmp_path / "peft"
    folder.mkdir()
    settings = {"r": 4, "lora_alpha": 8, "bias": "none", "peft_type": "LORA", **config}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    save_file(state, folder / "adapter_model.safetensors")
    return folder


def pair(module: str, *, rows: int = 64, columns: int = 64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        f"{module}.lora_A.weight": rng.standard_normal((4, columns)).astype(np.float32) * 0.3,
        f"{module}.lora_B.weight": rng.standard_normal((rows, 4)).astype(np.float32) * 0.3,
    }


def test_an_adapter_of_peft_becomes_one_of_llama_cpp(seeing, world, tmp_path):
    folder = peft_folder(tmp_path, pair(Q0))
    result = invoke(
        "train", "export", str(seeing.folder), "--adapter", str(folder), "--out",
        str(tmp_path / "out"),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    bundle = read_bundle(tmp_path / "out")
    assert read_facts(bundle.adapter).keys["adapter.lora.alpha"] == 8
    assert set(read_tensors(bundle.adapter)) == {
        f"blk.0.attn_q.weight.lora_{letter}" for letter in "ab"
    }
    assert answer(world, tmp_path / "out", "--lora-scale", "0") == answer(world, seeing.folder)


@pytest.mark.parametrize(
    ("extra", "config", "named"),
    [
        ({f"{Q0}.lora_magnitude_vector": np.ones(64, np.float32)}, {}, "lora_magnitude_vector"),
        ({}, {"use_dora": True}, "use_dora"),
        (pair("base_model.model.lm_head"), {}, "lm_head.lora_A.weight"),
        (
            {"base_model.model.model.text_model.embed_tokens.lora_embedding_A":
             np.ones((4, 448), np.float32)},
            {},
            "embed_tokens.lora_embedding_A",
        ),
        (
            pair("base_model.model.model.vision_model.encoder.layers.0.self_attn.q_proj"),
            {},
            "vision_model.encoder.layers.0.self_attn.q_proj.lora_A.weight",
        ),
        (
            pair("base_model.model.model.connector.modality_projection.proj"),
            {},
            "connector.modality_projection.proj.lora_A.weight",
        ),
        ({}, {"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({}, {"bias": "all"}, "bias"),
    ],
)  # fmt: skip
def test_a3_5_what_llama_cpp_cannot_carry_is_refused_by_name(
    extra, config, named, seeing, tmp_path
):
    """A3.5: DoRA, embeddings, lm_head and vision LoRA are refused by key, with the alternative."""
    folder = peft_folder(tmp_path, {**pair(Q0), **extra}, **config)
    result = invoke(
        "train", "export", str(seeing.folder), "--adapter", str(folder), "--out",
        str(tmp_path / "out"),
    )  # fmt: skip
    assert result.exit_code == 4
    assert named in result.stderr
    assert "merge it into the checkpoint" in result.stderr
    assert not (tmp_path / "out" / "vidcli.json").exists()


def test_a3_6_an_adapter_of_another_size_is_refused(seeing, tmp_path):
    """A3.6: an adapter of another hidden size is refused when it is exported."""
    folder = peft_folder(tmp_path, pair(Q0, rows=96, columns=96))
    result = invoke(
        "train", "export", str(seeing.folder), "--adapter", str(folder), "--out",
        str(tmp_path / "out"),
    )  # fmt: skip
    assert result.exit_code == 4
    assert "for a model of another size" in result.stderr


# Bundles in use


def test_a_bundle_is_registered_and_answers_by_its_name(tuned, world):
    assert invoke("models", "add", "toy", str(tuned.folder)).exit_code == 0
    assert answer(world, "toy") == answer(world, tuned.folder)
    assert invoke("models", "verify", "toy").exit_code == 0
    shown = invoke("models", "show", "toy").stdout
    assert "adapter" in shown


def test_a_bundle_whose_file_changed_is_refused(tuned, tmp_path, world):
    invoke("train", "export", str(tuned.folder), "--out", str(tmp_path / "x"), "--quantize", "Q8_0")
    weights = read_bundle(tmp_path / "x").weights
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    result = invoke("ask", str(world.video(0)), "?", "--model", str(tmp_path / "x"))
    assert result.exit_code == 4
    assert "is not the file that the bundle" in result.stderr


def test_a_bundle_that_lost_a_file_is_told(tuned, tmp_path, world):
    invoke("train", "export", str(tuned.folder), "--out", str(tmp_path / "x"), "--quantize", "Q8_0")
    read_bundle(tmp_path / "x").adapter.unlink()
    result = invoke("ask", str(world.video(0)), "?", "--model", str(tmp_path / "x"))
    assert result.exit_code == 4
    assert "is incomplete" in result.stderr


def test_a_bundle_is_shown_as_many_frames_as_it_was_taught_with(tuned, world):
    for more, n in (((), 2), (("--frames", "4"), 4)):
        result = invoke(
            "ask", str(world.video(0)), COLOUR, "--model", str(tuned.folder), "--json",
            "--max-tokens", "2", "--threads", "1", *more,
        )  # fmt: skip
        document = json.loads(result.stdout)
        jsonschema.validate(document, load_schema("answer"))
        assert len(document["frames"]) == n
        assert document["model"]["adapter"]["scale"] == 1.0


def test_the_adapter_and_its_scale_are_part_of_the_snapshot_keys(tuned, world):
    answers = [answer(world, tuned.folder, "--lora-scale", s) for s in ("1", "0", "1", "0")]
    assert answers[:2] == answers[2:]
    assert answers[0] != answers[1]


def test_the_layout_is_read_from_the_headers(seeing):
    bundle = read_bundle(seeing.folder)
    layout = read_layout(read_facts(bundle.weights), read_facts(bundle.mmproj))
    assert (layout.family, layout.n_layers, layout.n_kv_heads) == ("smolvlm", 2, 2)


def test_an_adapter_can_be_named_for_any_model(tuned, seeing, world):
    files = resolve_files(tuned.folder)
    named = answer(world, seeing.folder, "--lora", str(files.adapter))
    assert named == answer(world, tuned.folder)
    assert named != answer(world, seeing.folder)


def test_a_scale_without_an_adapter_is_said_to_do_nothing(seeing, world):
    result = invoke(
        "ask", str(world.video(0)), "?", "--model", str(seeing.folder), "--lora-scale", "0.5",
        "--max-tokens", "2", "--threads", "1",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "--lora-scale does nothing" in result.stderr
