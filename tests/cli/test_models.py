"""`models` gets models by name and keeps them; every answering command takes the names."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pexpect
import pytest

from tests.cli.run import VIDCLI, invoke, spawn
from tests.clips import ClipCache
from tests.hub import Hub, Repo
from tests.pairs import PairCache
from vidcli import settings
from vidcli.models import hardware
from vidcli.models.catalog import find_model, list_models
from vidcli.models.digest import digest_model
from vidcli.models.packaged import NAME as NANO
from vidcli.models.registry import list_installed, registry_path
from vidcli.output.models import BRIEF, ModelRow, brief_row
from vidcli.output.schema import load_schema
from vidcli.output.tables import draw_table

SMOL = "smolvlm2-500m"
REPO = "ggml-org/SmolVLM2-500M-Video-Instruct-GGUF"
WEIGHTS = "SmolVLM2-500M-Video-Instruct-Q8_0.gguf"
MMPROJ = "mmproj-SmolVLM2-500M-Video-Instruct-Q8_0.gguf"
SHORT = ("--max-tokens", "4", "--n-ctx", "1024")


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    return clips.get(duration=1.0)


@pytest.fixture
def stocked(hub: Hub, pairs: PairCache, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that has one model of the catalog: in truth a tiny random one of its family."""
    pair = pairs.get("tiny-idefics3")
    hub.repos[REPO] = Repo(
        {WEIGHTS: pair.weights.read_bytes(), MMPROJ: pair.mmproj.read_bytes(), "README.md": b"#"}
    )
    for name in ("MODEL", "MMPROJ"):
        monkeypatch.delenv(f"VIDCLI_{name}", raising=False)
    monkeypatch.setenv("VIDCLI_THREADS", "1")
    return hub


def read(*args: str, schema: str, code: int = 0) -> dict[str, Any]:
    result = invoke("models", *args, "--json")
    assert result.exit_code == code, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema(schema))
    return document


def test_a_pulled_model_answers_by_its_name(stocked: Hub, clip: Path):
    pulled = spawn("models", "pull", SMOL)
    assert (pulled.returncode, pulled.stdout) == (0, f"{SMOL}\n"), pulled.stderr
    assert "licence apache-2.0" in pulled.stderr
    assert "weights 2.2 MiB + projector 601.2 KiB + context of 8192 cells" in pulled.stderr
    for model in (["--model", SMOL], ["--model", f"hf:{REPO}:q8_0"], []):
        answer = invoke("ask", str(clip), "What happens?", *SHORT, *model, "--json")
        assert answer.exit_code == 0, answer.stderr
        assert json.loads(answer.stdout)["model"]["name"] == SMOL
    assert invoke("ask", str(clip), "What?", *SHORT, env={"VIDCLI_MODEL": SMOL}).exit_code == 0


def test_what_was_pulled_is_listed_shown_found_and_verified(stocked: Hub):
    assert [row["name"] for row in read("list", schema="models")["models"]] == [NANO]
    document = read("pull", SMOL, schema="model")
    weights, mmproj = document["files"]
    content = stocked.repos[REPO].files[WEIGHTS]
    assert weights["sha256"] == hashlib.sha256(content).hexdigest()
    assert Path(weights["path"]).read_bytes() == content
    assert (weights["role"], mmproj["role"]) == ("weights", "mmproj")
    for file in (weights, mmproj):  # the first use need not read gigabytes to hash them
        assert digest_model(Path(file["path"]), progress=fail) == file["sha256"]
    assert (document["revision"], document["quant"]) == ("c" * 40, "Q8_0")
    packaged, row = read("list", schema="models")["models"]
    assert packaged["name"] == NANO
    assert (row["name"], row["installed"], row["complete"], row["fits"]) == (SMOL, True, True, True)
    assert invoke("models", "list").stdout.splitlines()[2].split()[:2] == [SMOL, "yes"]
    assert read("show", SMOL, schema="model")["memory_bytes"] < 1024**3
    assert invoke("models", "path", SMOL).stdout == weights["path"] + "\n"
    assert invoke("models", "path", SMOL, "--mmproj").stdout == mmproj["path"] + "\n"
    checked = read("verify", schema="model-check")
    assert (checked["ok"], [entry["problem"] for entry in checked["files"]]) == (True, [None, None])


def test_verify_finds_damage_and_a_pull_repairs_it(stocked: Hub):
    path = Path(read("pull", SMOL, schema="model")["files"][1]["path"])
    whole = path.read_bytes()
    path.resolve().write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    checked = read("verify", SMOL, schema="model-check", code=4)
    assert [entry["problem"] is None for entry in checked["files"]] == [True, False]
    path.resolve().write_bytes(whole[:-1])
    assert "bytes" in invoke("models", "verify", "--quiet").stdout
    path.resolve().unlink()
    result = invoke("models", "verify")
    assert (result.exit_code, "is missing" in result.stdout) == (4, True)
    assert f"vidcli models pull {SMOL}" in result.stderr
    assert invoke("models", "pull", SMOL).exit_code == 0
    assert read("verify", schema="model-check")["ok"]


def test_rm_removes_what_pull_brought_and_leaves_what_the_user_added(
    stocked: Hub, pairs: PairCache
):
    pair = pairs.get("tiny-idefics3")
    files = read("pull", SMOL, schema="model")["files"]
    added = invoke("models", "add", "mine", "--model", str(pair.weights))
    assert (added.exit_code, added.stdout) == (0, "mine\n"), added.stderr
    result = invoke("models", "rm", SMOL)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2.7 MiB freed" in result.stderr
    assert not any(Path(file["path"]).exists() for file in files)
    assert invoke("models", "rm", "MINE").exit_code == 0
    assert pair.weights.exists()
    assert list_installed() == ()
    assert invoke("models", "rm", SMOL).exit_code == 4


def test_added_files_answer_by_their_name(stocked: Hub, pairs: PairCache, clip: Path):
    pair, other = pairs.get("tiny-idefics3"), pairs.get("tiny-qwen2vl")
    both = ["--model", str(pair.weights), "--mmproj", str(pair.mmproj)]
    assert read("add", "mine", *both, schema="model")["source"] == "local"
    assert invoke("models", "add", "mine", *both).exit_code == 2
    unfit = invoke(
        "models", "add", "odd", "--model", str(pair.weights), "--mmproj", str(other.mmproj)
    )
    assert (unfit.exit_code, unfit.stdout) == (4, "")
    answer = invoke("ask", str(clip), "What?", *SHORT, "--model", "mine", "--json")
    assert json.loads(answer.stdout)["model"]["name"] == "mine"


def test_a_pull_of_a_pair_that_does_not_fit_is_refused_and_not_registered(
    stocked: Hub, pairs: PairCache
):
    stocked.repos[REPO].files[MMPROJ] = pairs.get("tiny-qwen2vl").mmproj.read_bytes()
    result = invoke("models", "pull", SMOL)
    assert (result.exit_code, result.stdout) == (4, "")
    assert not registry_path().exists()


def test_a_split_model_is_pulled_whole_and_answers(
    stocked: Hub, pairs: PairCache, tmp_path: Path, clip: Path
):
    parts = split_gguf(pairs.get("tiny-idefics3").weights, tmp_path)
    files = {f"big/{part.name}": part.read_bytes() for part in parts}
    files["big/mmproj-f32.gguf"] = pairs.get("tiny-idefics3").mmproj.read_bytes()
    stocked.repos["maker/Split-GGUF"] = Repo(files)
    document = read("pull", "hf:maker/Split-GGUF", schema="model")
    assert (document["name"], len(document["files"])) == ("split", 3)
    answer = invoke("ask", str(clip), "What?", *SHORT, "--model", "split")
    assert answer.exit_code == 0, answer.stderr
    del stocked.repos["maker/Split-GGUF"].files[f"big/{parts[1].name}"]
    result = invoke("models", "pull", "hf:maker/Split-GGUF")
    assert (result.exit_code, "1 of 2 parts" in result.stderr) == (4, True)


def test_a_pull_that_cannot_fit_is_warned_of_before_it_downloads(
    stocked: Hub, monkeypatch: pytest.MonkeyPatch
):
    memory = hardware.Memory(10**9, 10**6)
    monkeypatch.setattr(hardware, "read_memory", lambda: memory)
    stocked.faults.status["/cdn/"] = (403, {})
    result = invoke("models", "pull", SMOL)
    assert result.exit_code == 4
    assert f"warning: {SMOL} Q8_0 does not fit the memory" in result.stderr
    assert result.stderr.index("warning") < result.stderr.index("error")


def test_quant_revision_and_name_are_obeyed(stocked: Hub):
    files = stocked.repos[REPO].files
    files[WEIGHTS.replace("Q8_0", "f16")] = files[WEIGHTS]
    options = ["--quant", "F16", "--revision", "c" * 40, "--name", "half"]
    document = read("pull", SMOL, *options, schema="model")
    assert (document["name"], document["quant"]) == ("half", "F16")
    assert read("pull", f"{SMOL}:f16", schema="model")["quant"] == "F16"
    result = invoke("models", "pull", SMOL, "--quant", "Q2_K")
    assert (result.exit_code, "it has: " in result.stderr) == (4, True)


def test_a_pull_replaces_its_own_name_and_no_other(stocked: Hub, pairs: PairCache):
    files = stocked.repos[REPO].files
    files[WEIGHTS.replace("Q8_0", "f16")] = files[WEIGHTS] + b" "
    read("pull", SMOL, schema="model")
    result = invoke("models", "pull", SMOL, "--quant", "F16")
    assert (result.exit_code, "it replaces Q8_0" in result.stderr) == (0, True)
    pair = pairs.get("tiny-idefics3")
    invoke("models", "add", "mine", "--model", str(pair.weights))
    result = invoke("models", "pull", SMOL, "--name", "mine")
    assert (result.exit_code, "--name" in result.stderr) == (2, True)


def test_an_interrupted_pull_keeps_what_came_and_goes_on(stocked: Hub):
    stocked.faults.hold_after = 500_000
    child = subprocess.Popen(
        [*VIDCLI, "models", "pull", SMOL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    cache, deadline = Path(os.environ["HF_HOME"]), time.monotonic() + 30
    while not [p for p in cache.rglob("*.incomplete") if p.stat().st_size >= 500_000]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=30)
    assert (child.returncode, stdout) == (130, "")
    assert stderr.endswith("interrupted\n")
    stocked.faults.release.set()
    stocked.faults.hold_after = 0
    assert invoke("models", "pull", SMOL).exit_code == 0
    assert "bytes=500000-" in stocked.bodies()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["pull", "smolvlm2-500n"], 4, "did you mean smolvlm2-500m"),
        (["pull", "hf:nothing"], 2, "hf:OWNER/REPO"),
        (["pull", SMOL, "--offline"], 4, "offline mode forbids"),
        (["show", "nothing-like-it"], 4, "models list --all"),
        (["path", SMOL], 4, f"vidcli models pull {SMOL}"),
        (["pull", SMOL, "--name", "a/b"], 2, "no name for a model"),
    ],
)
@pytest.mark.usefixtures("stocked")
def test_what_makes_no_sense_says_what_to_type(args: list[str], code: int, said: str):
    result = invoke("models", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_all_lists_the_catalog_too():
    rows = read("list", "--all", schema="models")["models"]
    assert [row["name"] for row in rows] == [NANO, *(spec.name for spec in list_models())]
    assert [row["installed"] for row in rows] == [True] + [False] * (len(rows) - 1)
    assert invoke("models", "show", SMOL).exit_code == 0


def test_all_is_readable_at_80_columns():
    rows = [brief_row(ModelRow(spec.name, spec, None, None, None)) for spec in list_models()]
    lines = draw_table(rows, columns=BRIEF, right=(2,), color=False, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 2 + 1.5 * len(rows)  # most of them on one line, the longest on two
    named = [line.split()[0] for line in lines[2:] if not line.startswith(" ")]
    assert named == [spec.name for spec in list_models()]


@pytest.mark.usefixtures("stocked")
def test_a_model_too_big_for_the_memory_is_marked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hardware, "read_memory", lambda: hardware.Memory(2**20, 2**20))
    lines = invoke("models", "list", "--all").stdout.splitlines()
    listed = {line.split()[0]: line for line in lines}
    assert "too big" in listed[SMOL]
    assert "too big" not in listed["yunet"]


@pytest.mark.usefixtures("stocked")
def test_without_a_model_the_command_to_type_is_named(clip: Path):
    for args in ([], ["--model", SMOL]):
        result = invoke("ask", str(clip), "What?", *args)
        assert (result.exit_code, result.stdout) == (4, "")
        assert f"vidcli models pull {SMOL}" in result.stderr
    unknown = invoke("ask", str(clip), "What?", "--model", "smolvlm2-500n")
    assert (unknown.exit_code, "did you mean smolvlm2-500m" in unknown.stderr) == (4, True)


def test_the_largest_installed_model_that_fits_answers(
    stocked: Hub, pairs: PairCache, clip: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, shape in (("small", "tiny-idefics3"), ("large", "tiny-qwen3vl")):
        pair = pairs.get(shape)
        invoke("models", "add", name, "--model", str(pair.weights), "--mmproj", str(pair.mmproj))
    need = {row["name"]: row["memory_bytes"] for row in read("list", schema="models")["models"]}
    assert need["small"] < need["large"]
    for free, name in ((need["large"], "large"), (need["large"] - 1, "small"), (0, "small")):
        memory = hardware.Memory(10**12, free)
        monkeypatch.setattr(hardware, "read_memory", lambda memory=memory: memory)
        result = invoke("ask", str(clip), "What?", *SHORT, "--json")
        assert json.loads(result.stdout)["model"]["name"] == name
        assert ("no installed model fits" in result.stderr) == (free == 0)


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_on_a_terminal_the_recommended_model_is_offered(stocked: Hub, clip: Path, answer: str):
    command = ["-m", "vidcli", "ask", str(clip), "What?", *SHORT]
    child = pexpect.spawn(sys.executable, command, timeout=60, dimensions=(24, 200))
    child.expect(r"Download it, about 520.7 MiB, licence apache-2.0\? \[y/N\]")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == (0 if answer == "y" else 4)
    assert (find_installed_names() == [SMOL]) == (answer == "y")
    assert len(stocked.bodies()) == (2 if answer == "y" else 0)


@pytest.mark.usefixtures("stocked")
def test_offline_nothing_is_offered(clip: Path):
    command = ["-m", "vidcli", "ask", str(clip), "What?", "--offline"]
    child = pexpect.spawn(sys.executable, command, timeout=60, dimensions=(24, 200))
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, b"Download" in (child.before or b"")) == (4, False)


def test_an_embedding_model_is_pulled_and_does_not_answer(stocked: Hub, clip: Path):
    from tests.models.embedding import make_embedder

    spec = find_model("nomic-embed-v1.5")
    assert spec is not None
    stocked.repos[spec.repo] = Repo({"nomic-embed-text-v1.5.Q8_0.gguf": make_embedder()})
    assert read("pull", spec.name, schema="model")["kind"] == "embedding"
    result = invoke("ask", str(clip), "What?", "--model", spec.name)
    assert (result.exit_code, "cannot answer" in result.stderr) == (4, True)


def test_a_tool_s_file_is_pulled_as_it_is(stocked: Hub):
    stocked.repos["opencv/face_detection_yunet"] = Repo(
        {"face_detection_yunet_2023mar.onnx": os.urandom(5000), "other.onnx": b"x" * 5000}
    )
    document = read("pull", "yunet", schema="model")
    assert (document["kind"], len(document["files"]), document["fits"]) == ("onnx", 1, None)


def test_a_model_whose_files_are_gone_says_how_to_get_them_again(stocked: Hub, clip: Path):
    path = Path(read("pull", SMOL, schema="model")["files"][0]["path"])
    path.unlink()
    result = invoke("ask", str(clip), "What?", "--model", SMOL)
    assert (result.exit_code, f"vidcli models pull {SMOL}" in result.stderr) == (4, True)
    assert "incomplete" in invoke("models", "list").stdout


def test_the_recommended_model_is_of_the_catalog():
    assert find_model(settings.RECOMMENDED_MODEL) is not None


def fail(*report: object) -> None:
    pytest.fail(f"hashed again: {report}")


def find_installed_names() -> list[str]:
    return [model.name for model in list_installed()]


def split_gguf(path: Path, folder: Path) -> list[Path]:
    """Split a model into two files as llama.cpp's gguf-split does."""
    from gguf import GGUFReader, GGUFValueType, GGUFWriter

    reader = GGUFReader(path)
    half = len(reader.tensors) // 2
    parts = []
    for number, tensors in enumerate((reader.tensors[:half], reader.tensors[half:])):
        part = folder / f"Model-F32-{number + 1:05d}-of-00002.gguf"
        writer = GGUFWriter(part, reader.fields["general.architecture"].contents())
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", len(reader.tensors))
        for name, field in reader.fields.items():
            if number or name.startswith("GGUF.") or name == "general.architecture":
                continue
            kind = field.types[0]
            inner = field.types[-1] if kind is GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), kind, sub_type=inner)
        for tensor in tensors:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        parts.append(part)
    return parts
