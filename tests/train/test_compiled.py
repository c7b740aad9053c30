"""`compiled = true` in a recipe: torch compiles the layers, and they learn what plain ones do."""

import subprocess
from pathlib import Path
from shutil import which

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

from tests.cli.run import VIDCLI
from vidcli.models.bundle import read_bundle
from vidcli.train import recipe
from vidcli.train.loop import read_metrics

pytestmark = pytest.mark.train

TINY = Path(recipe.__file__).parent / "recipes" / "tiny.toml"
STEPS = 2
HAS_COMPILER = any(map(which, ("c++", "g++", "clang++")))


def pretrain(folder: Path, settings: str) -> tuple[int, str]:
    """The first steps of the trial recipe's first stage, in a process of its own."""
    text = TINY.read_text("utf-8")
    changed = text.replace("[pretrain]\nsteps = 60\n", f"[pretrain]\nsteps = {STEPS}\n{settings}")
    assert changed != text
    path = folder.with_suffix(".toml")
    path.write_text(changed, "utf-8")
    command = [*VIDCLI, "train", "run", str(path), "--out", str(folder), "--step", "pretrain"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    return made.returncode, made.stderr


def losses(folder: Path) -> list[float]:
    assert read_bundle(folder / "pretrain").history[-1]["stage"] == "pretrain"
    return [line["loss"] for line in read_metrics(folder / "pretrain" / "metrics.jsonl")]


def test_compiled_layers_learn_what_plain_ones_do(tmp_path):
    code, told = pretrain(tmp_path / "compiled", 'dtype = "float32"\ncompiled = true\n')
    if not HAS_COMPILER:
        assert code == 7
        assert "set compiled = false" in told
        return
    assert code == 0, told
    code, told = pretrain(tmp_path / "plain", 'dtype = "float32"\n')
    assert code == 0, told
    plain, compiled = losses(tmp_path / "plain"), losses(tmp_path / "compiled")
    assert len(plain) == STEPS
    assert compiled == pytest.approx(plain, rel=1e-3)
