"""`transcribe` writes down what is said: subtitles where there are any, else the sound."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.folder import fill, finished
from tests.cli.run import invoke
from tests.clips import ClipCache
from tests.hub import Hub, Repo
from tests.pairs import PairCache
from tests.talks import conversation, make_recording, make_talk, monologue
from vidcli.output.schema import load_schema

SRT = """1
00:00:01,000 --> 00:00:02,500
Hello <i>there</i>

2
00:00:06,000 --> 00:00:07,000
Bye
"""


@pytest.fixture
def talk(clips: ClipCache, tmp_path: Path) -> Path:
    """A video of 8 s in which a low voice speaks from 2 to 4, in a folder of its own."""
    made = clips.build(".mp4", lambda path: make_talk(path, monologue()), key="monologue")
    return Path(shutil.copy(made, tmp_path / "talk.mp4"))


@pytest.fixture
def silent(clips: ClipCache) -> Path:
    return clips.get(".mp4")


def transcribe(*args: object) -> dict[str, Any]:
    result = invoke("transcribe", *map(str, args), "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("transcript"))
    return document


def texts(document: dict[str, Any]) -> list[str]:
    return [segment["text"] for segment in document["segments"]]


def test_sound_is_heard_with_times_and_language(talk: Path, whisper: Path):
    document = transcribe(talk, "--whisper", whisper)
    assert document["source"] == {"kind": "whisper", "name": "tiny-whisper"}
    assert texts(document) == ["low"]
    assert document["segments"][0]["start_s"] == pytest.approx(2, abs=0.6)
    assert document["segments"][0]["words"] is None
    assert document["language"] == "en"
    assert document["language_probability"] > 0.9
    assert document["reason"] is None


def test_words_have_times_of_their_own_when_asked_for(talk: Path, whisper: Path):
    document = transcribe(talk, "--whisper", whisper, "--words", "--language", "DE")
    (word,) = document["segments"][0]["words"]
    assert word["text"] == "low"
    assert word["start_s"] < word["end_s"]
    assert (document["language"], document["language_probability"]) == ("de", None)


def test_a_video_without_audio_is_an_answer(silent: Path):
    document = transcribe(silent)
    assert document["segments"] == []
    assert document["source"] is None
    assert document["reason"] == "it has no subtitles and no audio"
    result = invoke("transcribe", str(silent))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing is said: it has no subtitles and no audio" in result.stderr


def test_a_sound_in_which_nobody_speaks_has_no_segments(clips: ClipCache, whisper: Path):
    clip = clips.get(".mp4", audio=True)
    document = transcribe(clip, "--whisper", whisper)
    assert (document["segments"], document["language"]) == ([], None)
    assert document["source"]["kind"] == "whisper"


def test_subtitles_beside_the_video_go_before_its_sound(talk: Path):
    (talk.parent / "talk.en.srt").write_text(SRT)
    document = transcribe(talk)
    assert document["source"] == {"kind": "sidecar", "name": "talk.en.srt"}
    assert texts(document) == ["Hello there", "Bye"]
    assert document["language"] == "en"


def test_what_cannot_be_heard_does_not_cost_what_is_written_down(talk: Path, silent: Path):
    """Where nothing is installed to hear with, subtitles of other videos are read all the same."""
    folder = talk.parent / "folder"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(talk, folder / name)
    (folder / "b.srt").write_text(SRT)
    shutil.copy(silent, folder / "c.mp4")
    result = invoke("transcribe", str(folder), "--json")
    assert result.exit_code == 8
    failed, read, mute = map(json.loads, result.stdout.splitlines())
    assert failed["schema"]["name"] == "error"
    assert (texts(read), mute["segments"]) == (["Hello there", "Bye"], [])
    assert f"{folder}/a.mp4 has no subtitles, and no model that hears" in result.stderr
    assert "vidcli models pull whisper-base" in result.stderr
    alone = invoke("transcribe", str(folder / "a.mp4"))
    assert alone.exit_code == 4


def embed(talk: Path) -> Path:
    """The same video as Matroska, with subtitles inside."""
    from tests.clips import FFMPEG

    subtitles = talk.parent / "other.srt"
    subtitles.write_text(SRT)
    inside = talk.with_suffix(".mkv")
    command = [FFMPEG, "-nostdin", "-loglevel", "error", "-i", str(talk), "-i", str(subtitles)]
    command += ["-c", "copy", "-c:s", "srt", str(inside)]
    subprocess.run(command, check=True, timeout=60)
    subtitles.unlink()
    return inside


def test_subtitles_inside_the_video_go_before_its_sound(talk: Path):
    document = transcribe(embed(talk))
    assert document["source"]["kind"] == "stream"
    assert texts(document) == ["Hello there", "Bye"]


def test_by_says_where_words_come_from(talk: Path, whisper: Path):
    inside = embed(talk)
    (inside.parent / "talk.srt").write_text(SRT.replace("Bye", "Beside"))
    assert texts(transcribe(inside, "--by", "sidecar"))[1] == "Beside"
    assert texts(transcribe(inside, "--by", "embedded"))[1] == "Bye"
    assert texts(transcribe(inside, "--by", "whisper", "--whisper", whisper)) == ["low"]
    only = transcribe(talk, "--by", "embedded")
    assert (only["segments"], only["reason"]) == ([], "it holds no subtitle stream of text")


def test_a_part_of_a_video_is_written_down_alone(clips: ClipCache, talk: Path, whisper: Path):
    clip = clips.build(".mp4", lambda path: make_talk(path, conversation()), key="conversation")
    document = transcribe(clip, "--whisper", whisper, "--from", "7")
    assert texts(document) == ["high"]
    assert document["segments"][0]["start_s"] == pytest.approx(9, abs=0.6)
    assert document["start_s"] == 7
    (talk.parent / "talk.srt").write_text(SRT)
    assert texts(transcribe(talk, "--to", "5")) == ["Hello there"]


@pytest.mark.parametrize(("form", "sign"), [("srt", " --> "), ("vtt", "WEBVTT"), ("text", "0:0")])
def test_it_comes_in_the_usual_forms(talk: Path, whisper: Path, form: str, sign: str):
    result = invoke("transcribe", str(talk), "--whisper", str(whisper), "--format", form)
    assert result.exit_code == 0
    assert sign in result.stdout
    assert "low" in result.stdout
    assert "1 segment from sound, heard by tiny-whisper, language en" in result.stderr


def test_a_folder_is_heard_into_files_and_never_twice(talk: Path, whisper: Path, tmp_path: Path):
    fill(tmp_path / "in", talk, "a.mp4", "b.mp4")
    out = tmp_path / "out"
    args = ("transcribe", str(tmp_path / "in"), "--whisper", str(whisper), "--format", "srt")
    args += ("--out-dir", str(out))
    assert invoke(*args).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.srt", "b.srt"]
    before = finished()
    again = invoke(*args)
    assert (again.exit_code, finished()) == (0, before)
    assert "done 0, skipped 2" in again.stderr


def test_a_new_subtitle_file_makes_a_new_transcript(talk: Path, whisper: Path, tmp_path: Path):
    args = ("transcribe", str(talk), "--whisper", str(whisper), "--out-dir", str(tmp_path / "out"))
    assert invoke(*args, "--format", "json").exit_code == 0
    (talk.parent / "talk.srt").write_text(SRT)
    assert invoke(*args, "--format", "json").exit_code == 0
    written = json.loads((tmp_path / "out" / "talk.json").read_text())
    assert written["source"]["kind"] == "sidecar"


def test_transcripts_it_wrote_are_no_subtitles(talk: Path, whisper: Path):
    args = ("transcribe", str(talk), "--whisper", str(whisper))
    assert invoke(*args, "--format", "srt", "--sidecar").exit_code == 0
    assert (talk.parent / "talk.srt").exists()
    assert transcribe(talk, "--whisper", whisper)["source"]["kind"] == "whisper"


def test_without_a_model_the_line_that_gets_one_is_named(talk: Path):
    none = invoke("transcribe", str(talk))
    assert (none.exit_code, none.stdout) == (4, "")
    assert "hint: vidcli models pull whisper-base" in none.stderr
    small = invoke("transcribe", str(talk), "--whisper", "small")
    assert small.exit_code == 4
    assert "hint: vidcli models pull whisper-small" in small.stderr
    unknown = invoke("transcribe", str(talk), "--whisper", "gigantic")
    assert unknown.exit_code == 4
    assert "sizes are tiny, base" in unknown.stderr


def test_options_of_the_listener_do_not_go_with_subtitles(talk: Path):
    result = invoke("transcribe", str(talk), "--by", "sidecar", "--words")
    assert (result.exit_code, result.stdout) == (2, "")


def test_without_the_extra_it_says_how_to_install_it(talk: Path, whisper: Path):
    script = (
        "import sys; sys.modules['faster_whisper'] = None\nfrom vidcli.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "transcribe", str(talk), "--whisper", str(whisper)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "")
    assert "pip install 'vidcli[speech]'" in done.stderr


@pytest.fixture
def pulled(whisper: Path, hub: Hub) -> None:
    """The model as `whisper-tiny`, pulled from a hub."""
    files = {path.name: path.read_bytes() for path in whisper.iterdir()}
    hub.repos["Systran/faster-whisper-tiny"] = Repo({**files, "README.md": b"x"})
    assert invoke("models", "pull", "whisper-tiny").exit_code == 0


@pytest.mark.usefixtures("pulled")
def test_a_whisper_model_is_pulled_by_name_and_then_used(talk: Path):
    assert "ok" in invoke("models", "verify", "whisper-tiny").stdout
    document = transcribe(talk)
    assert document["source"] == {"kind": "whisper", "name": "whisper-tiny"}
    assert texts(document) == ["low"]
    assert texts(transcribe(talk, "--whisper", "tiny", "--overwrite")) == ["low"]
    link = next(Path(os.environ["HF_HOME"]).rglob("tokenizer.json"))
    link.unlink()
    broken = invoke("transcribe", str(talk), "--overwrite")
    assert broken.exit_code == 4
    assert "hint: vidcli models pull whisper-tiny" in broken.stderr


@pytest.fixture(params=[".mp3", ".wav", ".m4a"])
def recording(clips: ClipCache, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Sound alone, 8 s in which a low voice speaks from 2 to 4, in a folder of its own."""
    suffix = request.param
    made = clips.build(
        suffix, lambda path: make_recording(path, monologue()), key=f"monologue {suffix}"
    )
    return Path(shutil.copy(made, tmp_path / f"talk{suffix}"))


def test_a_file_without_pictures_is_written_down(recording: Path, whisper: Path):
    document = transcribe(recording, "--whisper", whisper)
    assert document["source"] == {"kind": "whisper", "name": "tiny-whisper"}
    assert texts(document) == ["low"]
    assert document["segments"][0]["start_s"] == pytest.approx(2, abs=0.6)
    assert document["end_s"] == pytest.approx(8, abs=0.1)
    assert document["warnings"] == []
    late = transcribe(recording, "--whisper", whisper, "--from", "5")
    assert (texts(late), late["start_s"]) == ([], 5)
    (recording.parent / "talk.srt").write_text(SRT)
    assert texts(transcribe(recording)) == ["Hello there", "Bye"]


def test_a_recording_without_a_model_names_the_line_that_gets_one(recording: Path):
    result = invoke("transcribe", str(recording))
    assert (result.exit_code, result.stdout) == (4, "")
    assert "not a video" not in result.stderr
    assert "hint: vidcli models pull whisper-base" in result.stderr


def test_a_folder_gives_its_recordings_too(recording: Path, whisper: Path, tmp_path: Path):
    folder = recording.parent
    fill(folder, recording, "other.flac", "notes.pdf")
    args = ("transcribe", str(folder), "--whisper", str(whisper), "--format", "srt")
    result = invoke(*args, "--out-dir", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.srt", "talk.srt"]
    named = invoke("transcribe", str(folder), "--by", "sidecar", "--include", "*.pdf", "--json")
    assert "notes.pdf" in named.stdout


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "command",
    [
        ("ask", "{}", "What?"),
        ("ask", "{}", "What?", "--dry-run"),
        ("caption", "{}"),
        ("summarize", "{}"),
        ("find", "{}", "a dog"),
        ("frames", "{}", "--out-dir", "out"),
        ("shots", "{}"),
        ("read", "{}"),
        ("info", "{}"),
        ("chat", "{}"),
    ],
    ids=lambda command: " ".join(command),
)
def test_what_needs_pictures_names_the_command_for_sound(
    clips: ClipCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    monkeypatch.chdir(tmp_path)
    made = clips.build(".mp3", lambda path: make_recording(path, monologue()), key="monologue .mp3")
    shutil.copy(made, "talk.mp3")
    result = invoke(*(word.format("talk.mp3") for word in command))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[-2:] == [
        "error: talk.mp3 has no video stream (only sound)",
        "hint: 'vidcli transcribe talk.mp3' writes down what is said in it",
    ]


def test_several_audio_streams_are_told_of(clips: ClipCache, whisper: Path):
    clip = clips.build(
        ".mkv",
        lambda path: make_talk(
            path,
            monologue("low"),
            monologue("high"),
            options={"metadata:s:a:0": "language=eng", "metadata:s:a:1": "language=deu"},
        ),
        key="two languages",
    )
    first = transcribe(clip, "--whisper", whisper)
    assert texts(first) == ["low"]
    assert "2 audio streams: #1 is heard" in first["warnings"][0]
    second = transcribe(clip, "--whisper", whisper, "--language", "de")
    assert texts(second) == ["high"]


@pytest.mark.usefixtures("model", "pulled")
def test_a_summary_can_hear_what_nobody_wrote_down(talk: Path):
    args = ("summarize", str(talk), "--max-tokens", "4", "--json")
    written = json.loads(invoke(*args).stdout)
    assert written["speech"] is None
    result = invoke(*args, "--subtitles", "whisper")
    assert result.exit_code == 0, result.stderr
    heard = json.loads(result.stdout)
    jsonschema.validate(heard, load_schema("summary"))
    assert heard["speech"]["source"] == "whisper"
    assert heard["speech"]["words"] == 1
    assert "speech: 1 word of whisper-tiny (hearing the sound, en)" in result.stderr


@pytest.mark.usefixtures("model")
def test_a_summary_that_cannot_hear_says_how_it_could(talk: Path):
    result = invoke("summarize", str(talk), "--subtitles", "whisper")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "hint: vidcli models pull whisper-base" in result.stderr


def test_a_gguf_model_that_hears_writes_down_each_utterance(talk: Path, pairs: PairCache):
    pair = pairs.get("tiny-ultravox")
    args = ("--by", "model", "--model", pair.weights, "--max-tokens", "5")
    document = transcribe(talk, *args)
    assert document["source"] == {"kind": "model", "name": "tiny-ultravox-f32"}
    (segment,) = document["segments"]
    assert segment["start_s"] == pytest.approx(2, abs=0.6)
    assert segment["text"]
    assert document["warnings"] == ["1 line was cut at 5 tokens"]
    assert transcribe(talk, *args) == document, "kept, and the same"
    assert texts(transcribe(talk, *args, "--no-cache")) == texts(document)


def test_a_model_that_only_sees_cannot_hear(talk: Path, pairs: PairCache):
    result = invoke(
        "transcribe", str(talk), "--by", "model", "--model", str(pairs.get("tiny-llava").weights)
    )
    assert (result.exit_code, result.stdout) == (4, "")
    assert "none can hear" in result.stderr
    assert "--by whisper" in result.stderr


def foresee(*args: object) -> dict[str, Any]:
    result = invoke("transcribe", *map(str, args), "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("tool-plan"))
    return document


def test_what_hearing_takes_is_measured_beforehand(talk: Path, whisper: Path):
    plan = foresee(talk, "--whisper", whisper)
    assert (plan["tool"], plan["unit"], plan["amount"], plan["kept"]) == (
        "tiny-whisper", "seconds", 8, 0,
    )  # fmt: skip
    assert plan["seconds"]["total"] == pytest.approx(8 * plan["seconds"]["each"], abs=1e-4)
    assert plan["seconds"]["total"] > 0
    assert not finished(), "nothing was written down"
    transcribe(talk, "--whisper", whisper)
    heard = foresee(talk, "--whisper", whisper)
    assert (heard["kept"], heard["seconds"]["total"]) == (8, 0)
    again = foresee(talk, "--whisper", whisper, "--overwrite")
    assert again["kept"] == 0
    text = invoke("transcribe", str(talk), "--whisper", str(whisper), "--dry-run").stdout
    assert "8 seconds of sound, 8 of them kept of an earlier run" in text


def test_what_is_written_down_already_costs_nothing(talk: Path, silent: Path):
    (talk.parent / "talk.srt").write_text(SRT)
    plan = foresee(talk)
    assert plan["tool"] == "subtitles beside the video: talk.srt"
    assert (plan["unit"], plan["amount"], plan["seconds"]["total"]) == ("lines", 2, 0)
    nothing = foresee(silent)
    assert (nothing["tool"], nothing["reason"]) == (None, "it has no subtitles and no audio")


def test_what_cannot_be_heard_is_said_beforehand(talk: Path):
    result = invoke("transcribe", str(talk), "--dry-run")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "hint: vidcli models pull whisper-base" in result.stderr
