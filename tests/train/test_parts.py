"""What a run changes is what it was told to teach, and no other number of the model."""

import json

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

from tests.cli.run import invoke
from tests.train.conftest import TAUGHT
from vidcli.models.bundle import read_bundle
from vidcli.models.pair import resolve_files
from vidcli.models.tensors import read_tensors

pytestmark = pytest.mark.train
SHORT = (
    "--frames", "2", "--steps", "2", "--batch", "2", "--accumulate", "1", "--device", "cpu",
    "--threads", "1", "--eval-samples", "2", "--quiet",
)  # fmt: skip


def changed(before, after) -> set[str]:
    """Names of the tensors that differ between two folders."""
    found = set()
    for role in ("weights", "mmproj"):
        old, new = (read_tensors(getattr(resolve_files(f), role)) for f in (before, after))
        assert old.keys() == new.keys()
        found |= {name for name in old if not np.array_equal(old[name], new[name])}
    return found


def train(*words: str) -> None:
    result = invoke("train", *words, *SHORT)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("option", "parts"),
    [
        ((), ("mm.",)),
        (("--unfreeze", "connector,vision"), ("mm.", "v.")),
        (("--unfreeze", "text"), ("blk.", "token_embd.", "output")),
    ],
)
def test_pretraining_changes_the_connector_and_more_only_where_told(
    option, parts, seeing, world, tmp_path
):
    """A2.1: `train pretrain --data` updates the connector alone; `--unfreeze` for more."""
    out = tmp_path / "run"
    train(
        "pretrain", "--from", str(seeing.folder), "--data", str(world.captions), "--out", str(out),
        *option,
    )  # fmt: skip
    names = changed(seeing.folder, out)
    assert names
    assert all(name.startswith(parts) for name in names)
    for part in parts[:2]:
        assert any(name.startswith(part) for name in names), part


def test_a_connective_run_learns_the_connector_from_kept_features(
    seeing, world, tmp_path, monkeypatch
):
    """Video-ChatGPT: `tune --adapter connective` on VideoInstruct trains the connector only.

    Features are kept before the connector: another run decodes and encodes nothing again.
    """
    from vidcli.train import corpus

    rows = [
        {"q": "Which colour is it?", "a": "red", "video_id": f"t{n:02d}"} for n in range(TAUGHT)
    ]
    data = tmp_path / "videoinstruct.json"
    data.write_text(json.dumps(rows))
    for number, out in enumerate((tmp_path / "one", tmp_path / "two")):
        train(
            "tune", "--adapter", "connective", "--from", str(seeing.folder), "--data", str(data),
            "--videos", str(world.folder), "--seed", str(number), "--out", str(out),
        )  # fmt: skip
        assert changed(seeing.folder, out) == {"mm.model.fc.weight"}
        bundle = read_bundle(out)
        assert bundle.adapter is None
        assert bundle.history[-1]["learns"] == ["connector"]
        assert bundle.history[-1]["frozen"] == ["vision", "text"]
        monkeypatch.setattr(corpus, "watch_video", None)
        monkeypatch.setattr(corpus, "encode_clip", None)


def test_stages_one_after_another_stand_in_the_history(seeing, world, tmp_path):
    """VideoChat2: progressive stages in the bundle's history; LoRA r16 α32 on the text model."""
    from vidcli.models.gguf import read_facts

    folders = [seeing.folder, *(tmp_path / name for name in ("align", "connect", "instruct"))]
    steps = [
        ("pretrain", world.captions, ("--objective", "contrast")),
        ("pretrain", world.captions, ()),
        ("tune", world.questions, ("--rank", "16", "--alpha", "32", "--dropout", "0.1")),
    ]
    for (stage, data, more), base, out in zip(steps, folders, folders[1:], strict=False):
        train(stage, "--from", str(base), "--data", str(data), "--out", str(out), *more)
    bundle = read_bundle(folders[-1])
    assert [(stage["stage"], stage["learns"]) for stage in bundle.history[-3:]] == [
        ("pretrain", []), ("pretrain", ["connector"]), ("tune", ["lora"]),
    ]  # fmt: skip
    assert bundle.history[-3]["objective"] == "contrast"
    assert bundle.history[-1]["frozen"] == ["vision", "connector", "text"]
    assert changed(folders[0], folders[1]) == set()
    assert changed(folders[1], folders[2]) == {"mm.model.fc.weight"}
    assert changed(folders[2], folders[3]) == set()
    facts, matrices = read_facts(bundle.adapter), read_tensors(bundle.adapter)
    assert facts.keys["adapter.lora.alpha"] == 32
    assert {values.shape[0] for name, values in matrices.items() if name.endswith("lora_a")} == {16}
    assert all(name.startswith("blk.") for name in matrices), "the text model alone"
