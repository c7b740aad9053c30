"""What makes llama.cpp abort costs a child process and becomes an error of ours."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from tests.pairs import Pair, PairCache
from vidcli.core.model import LoadOptions
from vidcli.engine import trial
from vidcli.engine.load import load_session
from vidcli.engine.trial import Trial, try_model
from vidcli.errors import ModelError
from vidcli.models.gguf import read_facts


def _trial(pair: Pair) -> Trial:
    options = LoadOptions(n_ctx=512, threads=1)
    return Trial(pair.files, read_facts(pair.weights), read_facts(pair.mmproj), options)


def _lie(pair: Pair, folder: Path, key: bytes, value: int) -> Pair:
    """A copy whose projector gives another number for a key than it was made with."""
    data = bytearray(pair.mmproj.read_bytes())
    at = data.index(key) + len(key) + 4  # behind the key stands the type of its value
    data[at : at + 4] = value.to_bytes(4, "little")
    path = folder / "lying-mmproj.gguf"
    path.write_bytes(data)
    return dataclasses.replace(pair, mmproj=path)


def test_a_file_that_makes_llama_cpp_abort_is_a_model_error(
    pairs: PairCache, tmp_path: Path
) -> None:
    pair = _lie(pairs.get("tiny-idefics3"), tmp_path, b"clip.vision.projector.scale_factor", 3)
    with pytest.raises(ModelError, match=r"lying-mmproj\.gguf makes llama\.cpp end with SIG"):
        try_model(_trial(pair), tmp_path / "tried")
    assert not (tmp_path / "tried").exists()


def test_a_model_is_tried_once(
    pairs: PairCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = _trial(pairs.get("tiny-idefics3"))
    try_model(wanted, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(subprocess, "Popen", None)
    try_model(wanted, tmp_path)
    again = dataclasses.replace(wanted, options=LoadOptions(n_ctx=2048, threads=2))
    try_model(again, tmp_path)  # neither changes what can go wrong


def test_another_file_is_tried_again(
    pairs: PairCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = _trial(pairs.get("tiny-idefics3"))
    try_model(wanted, tmp_path)
    other = dataclasses.replace(
        wanted, files=dataclasses.replace(wanted.files, mmproj_sha256="c" * 64)
    )
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(TypeError):
        try_model(other, tmp_path)


def test_errors_of_the_trial_are_the_errors_of_the_model(pairs: PairCache, tmp_path: Path) -> None:
    pair = pairs.get("tiny-idefics3")
    data = bytearray(pair.mmproj.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    (tmp_path / "mmproj.gguf").write_bytes(data)
    broken = dataclasses.replace(pair, mmproj=tmp_path / "mmproj.gguf")
    with pytest.raises(ModelError, match="mmproj is corrupt") as caught:
        try_model(_trial(broken), tmp_path / "tried")
    assert caught.value.hint


def test_marks_that_cannot_be_written_only_mean_another_trial(
    pairs: PairCache, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    try_model(_trial(pairs.get("tiny-idefics3")), blocked / "tried")


def test_loading_tries_first_where_marks_are_kept(pairs: PairCache, tmp_path: Path) -> None:
    pair = pairs.get("tiny-idefics3")
    wanted = _trial(pair)
    with load_session(
        wanted.files,
        weights_facts=wanted.weights_facts,
        mmproj_facts=wanted.mmproj_facts,
        options=wanted.options,
        tried=tmp_path,
    ) as session:
        assert session.n_ctx == 512
    assert [path.name for path in tmp_path.iterdir()] == [trial._key(wanted)]


def test_a_file_in_the_current_directory_is_no_module_of_the_trial(
    pairs: PairCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("json.py", "numpy.py", "llama_cpp.py", "vidcli.py"):
        (folder / name).write_text("raise SystemExit(3)")
    monkeypatch.chdir(folder)
    try_model(_trial(pairs.get("tiny-idefics3")), tmp_path / "tried")
    assert len(list((tmp_path / "tried").iterdir())) == 1


def test_a_model_that_hangs_is_given_up_and_leaves_no_process(
    pairs: PairCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "LEAST_S", 0.0)  # less than any start of Python takes
    monkeypatch.setattr(trial, "SLOWEST_BYTES_S", 2**60)
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen.__init__

    def note(child: "subprocess.Popen[bytes]", *args: object, **options: object) -> None:
        started.append(child)
        start(child, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(subprocess.Popen, "__init__", note)
    with pytest.raises(ModelError, match="was not through its first use after 0 s") as failed:
        try_model(_trial(pairs.get("tiny-idefics3")), tmp_path / "tried")
    assert "sha256" in str(failed.value.hint)
    assert [child.poll() for child in started] == [-9]
    assert not (tmp_path / "tried").exists()
