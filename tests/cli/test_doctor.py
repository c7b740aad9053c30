"""`doctor` finds what is wrong, says what to type, and is stopped by nothing that is broken."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.run import invoke, spawn
from tests.cli.test_sockets import run
from tests.pairs import PairCache
from vidcli import settings
from vidcli.core.findings import Finding, Level
from vidcli.engine.build import lacking_flags, read_features, unused_flags
from vidcli.health import native, setup
from vidcli.health.examine import Check, examine
from vidcli.models.hardware import Cpu
from vidcli.output.schema import load_schema


def diagnose(*options: str, **environment: str) -> dict[str, Any]:
    """The document of a doctor that runs as a process of its own."""
    done = spawn("doctor", "--json", *options, env=os.environ | environment)
    document = json.loads(done.stdout)
    jsonschema.validate(document, load_schema("doctor"))
    assert done.returncode == (0 if document["works"] else 7)
    return dict(document)


def pick(document: dict[str, Any], check: str) -> dict[str, Any]:
    found = [finding for finding in document["findings"] if finding["check"] == check]
    assert len(found) == 1, [finding["check"] for finding in document["findings"]]
    return dict(found[0])


def break_module(folder: Path, name: str, code: str) -> dict[str, str]:
    """The environment in which a package is broken, for the process and its children."""
    package = folder / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(code)
    return {"PYTHONPATH": str(folder)}


def test_a_sound_installation_is_found_sound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("VIDCLI_MODEL", raising=False)
    document = diagnose()
    assert document["works"], [f for f in document["findings"] if f["level"] == "problem"]
    assert document["counts"]["ok"] > 15
    assert pick(document, "llama-build")["facts"]["version"] == "0.3.36"
    assert set(pick(document, "libav")["facts"]["decoders"]) == {"h264", "hevc", "vp9", "av1"}
    assert pick(document, "decoding")["level"] == "ok"
    assert pick(document, "models")["remedy"] == f"vidcli models pull {settings.RECOMMENDED_MODEL}"
    assert pick(document, "processor")["facts"]["physical_cores"] >= 1


def test_every_finding_that_is_not_ok_says_what_to_do_about_it():
    for finding in diagnose()["findings"]:
        assert finding["level"] in ("ok", "note") or finding["remedy"], finding


def test_a_pipe_gets_a_line_for_each_finding_and_the_verdict_goes_to_stderr():
    done = spawn("doctor")
    rows = [line for line in done.stdout.splitlines() if "→" not in line]
    assert all(row.split()[0] in ("ok", "note", "warning", "problem") for row in rows)
    assert done.stderr.splitlines()[-1].startswith("vidcli works here: ")
    assert spawn("doctor", "--quiet").stderr == ""


LIBRARIES = {
    "llama_cpp": ("llama-build", "CMAKE_ARGS="),
    "av": ("libav", "pip install --force-reinstall av"),
    "cv2": ("opencv", "opencv-python-headless"),
}


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise ImportError('libGL.so.1: cannot open shared object file')", "libGL.so.1"),
        ("raise OSError('a shared library is gone')", "a shared library is gone"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "SIGILL"),
        ("import sys; print('noise', flush=True); sys.exit('gone mad')", "gone mad"),
    ],
)
def test_libraries_that_are_broken_in_any_way_are_findings(tmp_path: Path, code: str, cause: str):
    for name in LIBRARIES:
        environment = break_module(tmp_path, name, code)
    document = diagnose(**environment)
    for check, remedy in LIBRARIES.values():
        finding = pick(document, check)
        assert (finding["level"], cause in finding["text"]) == ("problem", True), finding
        assert remedy in finding["remedy"]
    assert pick(document, "memory")["level"] == "ok"


def test_one_broken_library_hides_no_other(tmp_path: Path):
    document = diagnose(**break_module(tmp_path, "av", "raise ImportError('broken')"))
    levels = [pick(document, check)["level"] for check, _ in LIBRARIES.values()]
    assert levels == ["ok", "problem", "ok"]


@pytest.mark.parametrize(
    ("module", "area"),
    [("imageio_ffmpeg", "FFmpeg"), ("huggingface_hub", "disk"), ("jinja2", "llama.cpp")],
)
def test_a_package_that_is_missing_is_a_finding(tmp_path: Path, module: str, area: str):
    code = f"raise ModuleNotFoundError(\"No module named '{module}'\", name='{module}')"
    document = diagnose(**break_module(tmp_path, module, code), PATH="/nonexistent")
    finding = next(f for f in document["findings"] if f["level"] == "problem")
    assert (finding["area"], finding["remedy"][:12]) == (area, "pip install ")
    assert module in (finding["text"] + finding["remedy"]).replace("-", "_")


def test_an_ffmpeg_program_that_does_not_run_is_told_from_the_one_that_does(tmp_path: Path):
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    document = diagnose(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    levels = {f["text"].startswith(str(tmp_path)): f["level"] for f in document["findings"]
              if f["check"] == "ffmpeg"}  # fmt: skip
    assert levels[True] == "warning"
    assert document["works"] == (False in levels)


def test_two_variants_of_opencv_are_found(tmp_path: Path):
    info = tmp_path / "opencv_python-4.10.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: opencv-python\nVersion: 4.10.0\n")
    finding = pick(diagnose(PYTHONPATH=str(tmp_path)), "opencv-variants")
    assert finding["level"] == "warning"
    assert "pip uninstall -y opencv-python-headless opencv-python" in finding["remedy"]


def test_a_version_that_does_not_fit_is_found(tmp_path: Path):
    info = tmp_path / "typer-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: typer\nVersion: 0.1.0\n")
    finding = pick(diagnose(PYTHONPATH=str(tmp_path)), "packages")
    assert finding["text"].startswith("typer is 0.1.0, not ")
    assert finding["level"] == "problem"


# The build of llama.cpp against the processor

BUILD = "CPU : SSE3 = 1 | AVX = 1 | AVX2 = 1 | AVX512 = 0 | FMA = 1 | OPENMP = 1 | REPACK = 1 |"
FLAGS = {"pni", "avx", "avx2", "fma", "f16c", "avx512_bf16"}


@pytest.mark.parametrize("extra", ["ocr", "speech", "train"])
def test_an_extra_that_is_not_installed_is_named_with_its_packages(
    extra: str, monkeypatch: pytest.MonkeyPatch
):
    packages = {"ocr": "rapidocr", "speech": "faster-whisper", "train": "torch"}
    there = {finding.facts["extra"]: finding for finding in setup.check_extras()}
    assert {"ocr", "speech", "train"} <= set(there)
    assert there["ocr"].level is there["speech"].level is Level.OK, "the tests need them"
    real = setup.find_version
    missing = packages[extra]
    monkeypatch.setattr(setup, "find_version", lambda name: None if name == missing else real(name))
    found = {finding.facts["extra"]: finding for finding in setup.check_extras()}[extra]
    assert found.level is Level.NOTE
    assert missing in found.facts["missing"]
    assert found.remedy == f"pip install 'vidcli[{extra}]'"


def test_what_the_build_leaves_unused_or_wants_in_vain_is_told():
    features = read_features(BUILD)
    assert features == {"SSE3", "AVX", "AVX2", "FMA", "OPENMP", "REPACK"}
    assert unused_flags(features, frozenset(FLAGS)) == ["F16C", "AVX512_BF16"]
    assert unused_flags(features, frozenset({"avx512f"})) == []  # AVX512 wants five of them
    assert lacking_flags(features, frozenset(FLAGS - {"avx2"})) == ["AVX2"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names every flag")
def test_flags_the_build_does_not_use_are_a_warning_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
):
    def read(flags: set[str]) -> dict[str, Finding]:
        monkeypatch.setattr(native, "read_cpu", lambda: Cpu("Some CPU", frozenset(flags), 2))
        return {finding.check: finding for finding in native.check_engine()}

    build = read(set())["llama-build"].facts
    from vidcli.engine.build import FLAGS as NEEDED

    own = {flag for name in build["features"] for flag in NEEDED.get(name, ())}
    assert read(own)["llama-unused"].level is Level.OK
    every = {flag for flags in NEEDED.values() for flag in flags}
    assert "-DGGML_NATIVE=on" in read(every)["llama-unused"].remedy
    without = own - {flag for name in build["features"][:1] for flag in NEEDED.get(name, ())}
    if without != own:
        assert read(without)["llama-lacking"].level is Level.PROBLEM


# Directories, settings, models


def test_a_directory_that_cannot_be_made_is_a_warning():
    document = diagnose(VIDCLI_CACHE_DIR="/dev/null/cache")
    finding = next(f for f in document["findings"] if f["facts"].get("name") == "caches")
    assert (finding["level"], "VIDCLI_CACHE_DIR" in finding["remedy"]) == ("warning", True)


def test_a_wrong_settings_file_is_a_problem_and_stops_nothing():
    path = settings.config_path()
    path.parent.mkdir(parents=True)
    path.write_text("n_ctx = 4096\nmodle = 'x'\n")
    document = diagnose(VIDCLI_STATE_DIR="")
    finding = pick(document, "settings-file")
    assert (finding["level"], finding["remedy"]) == ("problem", "vidcli config edit")
    assert f"{path}:2" in finding["text"]
    assert pick(document, "llama-build")["level"] == "ok"


def test_variables_are_looked_through():
    document = diagnose(VIDCLI_MODLE="x", VIDCLI_N_CTX="many")
    found = {f["text"]: f for f in document["findings"] if f["check"] == "variables"}
    assert found["VIDCLI_MODLE means nothing to vidcli"]["level"] == "note"
    assert found["VIDCLI_N_CTX: n_ctx = 'many' is no whole number"]["level"] == "problem"


def test_the_packaged_model_may_be_the_one_that_runs():
    finding = pick(diagnose(VIDCLI_MODEL="nano"), "model-choice")
    assert (finding["level"], finding["text"][:10]) == ("ok", "nano runs,")


def test_a_model_named_for_good_that_is_not_there_is_a_problem():
    finding = pick(diagnose(VIDCLI_MODEL="nobody"), "model-choice")
    assert (finding["level"], "VIDCLI_MODEL" in finding["text"]) == ("problem", True)


@pytest.fixture
def installed(pairs: PairCache, tmp_path: Path) -> Path:
    """Weights of a model that was registered under a name, and may be damaged."""
    pair = pairs.get("tiny-idefics3")
    folder = tmp_path / "model"
    folder.mkdir()
    for path in (pair.weights, pair.mmproj):
        shutil.copy(path, folder)
    weights = folder / pair.weights.name
    assert invoke("models", "add", "mine", "--model", str(weights)).exit_code == 0
    return weights


def test_installed_models_are_checked_by_size_and_header_and_on_demand_whole(installed: Path):
    assert "sizes and headers fit" in pick(diagnose(), "model")["text"]
    data = bytearray(installed.read_bytes())
    data[-1] ^= 1
    installed.write_bytes(data)
    assert pick(diagnose(), "model")["level"] == "ok"
    finding = pick(diagnose("--verify"), "model")
    assert (finding["level"], "another digest" in finding["text"]) == ("problem", True)
    installed.write_bytes(data[:-1])
    assert "bytes, not" in pick(diagnose(), "model")["text"]
    installed.write_bytes(b"GGUF" + bytes(len(data) - 4))
    assert pick(diagnose(), "model")["level"] == "problem"
    installed.unlink()
    assert "is missing" in pick(diagnose(), "model")["text"]


def test_a_damaged_list_of_models_is_a_problem_with_its_remedy():
    registry = settings.data_dir() / "models.json"
    registry.parent.mkdir(parents=True, exist_ok=True)
    registry.write_text("{")
    finding = pick(diagnose(), "models")
    assert (finding["level"], str(registry) in finding["remedy"]) == ("problem", True)


def test_a_damaged_journal_and_crash_reports_are_found():
    crashes = settings.state_dir() / "crashes"
    crashes.mkdir(parents=True)
    (crashes / "20200101-000000-x.txt").write_text("a crash")
    (settings.state_dir() / "journal.sqlite3").write_bytes(b"nonsense" * 1000)
    document = diagnose()
    assert pick(document, "crashes")["level"] == "note"
    assert pick(document, "journal")["level"] == "warning"


# Network


def test_the_hub_is_asked_only_when_told_to(hub: Any):
    diagnose()
    assert hub.requests == []
    finding = pick(diagnose("--online"), "hub")
    assert (finding["level"], hub.requests != []) == ("ok", True)


def test_a_hub_that_is_not_there_is_a_warning_and_offline_is_obeyed(hub: Any):
    finding = pick(diagnose("--online", HF_ENDPOINT="http://127.0.0.1:9"), "hub")
    assert (finding["level"], "127.0.0.1:9" in finding["text"]) == ("warning", True)
    finding = pick(diagnose("--online", VIDCLI_OFFLINE="1"), "hub")
    assert (finding["level"], hub.requests) == ("note", [])


def test_passwords_of_proxies_are_not_told():
    document = diagnose(HTTPS_PROXY="http://me:secret@proxy.example:3128")
    assert "proxy.example:3128" in pick(document, "proxy")["text"]
    assert "secret" not in json.dumps(document)


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_online_is_what_the_refusal_of_sockets_stops(hub: Any):
    online = run("from vidcli.cli.app import main; main()", "doctor", "--online")
    assert (online.returncode, hub.requests) == (-signal.SIGSYS, [])


# Isolation


def test_a_check_that_fails_is_a_finding_and_the_others_go_on():
    def fail() -> list[Finding]:
        raise ZeroDivisionError("by nothing")

    good = Finding("good", Level.OK, "fine")
    found = list(examine([Check("some area", fail), Check("other", lambda: [good])]))
    assert found[1] == ("other", good)
    area, finding = found[0]
    assert (area, finding.check, finding.level) == ("some area", "some-area", Level.PROBLEM)
    assert "ZeroDivisionError: by nothing" in finding.text
