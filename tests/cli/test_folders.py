"""A run over many videos does what is not done, says what failed, and writes what was asked."""

import csv
import io
import json
import os
import shutil
import time
from pathlib import Path

import jsonschema
import pexpect
import pytest

from tests.cli.folder import fill, finished, query, read_documents
from tests.cli.run import VIDCLI, invoke, spawn
from vidcli.core.media import FramePlan
from vidcli.media.ahead import AheadVideo
from vidcli.output.schema import load_schema
from vidcli.settings import cache_dir

pytestmark = pytest.mark.usefixtures("model")
SHORT = ("--max-tokens", "4", "--frames", "2")
NO_MODEL = ("--model", "/nowhere/model.gguf")


@pytest.fixture
def folder(clip: Path, tmp_path: Path) -> Path:
    fill(tmp_path / "videos", clip, "b.mp4", "a.mp4", "sub/c.mp4")
    return tmp_path / "videos"


def caption(*args: str | Path, code: int = 0) -> list[str]:
    """Lines on standard output."""
    result = invoke("caption", *map(str, args), *SHORT)
    assert result.exit_code == code, result.stderr
    return list(result.stdout.splitlines())


def summary(*args: str | Path, code: int = 0) -> str:
    """What the run says of itself."""
    result = invoke("caption", *map(str, args), *SHORT)
    assert result.exit_code == code, result.stderr
    return next(line for line in result.stderr.splitlines() if line.startswith("done "))


def test_results_come_in_order_and_a_summary_on_stderr(folder: Path):
    result = invoke("caption", str(folder), "--recursive", *SHORT)
    assert result.exit_code == 0
    names = [line.split(": ")[0] for line in result.stdout.splitlines()]
    assert names == [f"{folder}/a.mp4", f"{folder}/b.mp4", f"{folder}/sub/c.mp4"]
    assert "done 3, skipped 0, failed 0; " in result.stderr
    assert " s a video, " in result.stderr


def test_a_second_run_prints_the_same_without_the_model(folder: Path):
    first = caption(folder, "-r", "--json")
    done = finished()
    assert caption(folder, "-r", "--json") == first
    assert finished() == done
    assert summary(folder, "-r").startswith("done 0, skipped 3, failed 0")
    for document in read_documents("\n".join(first)):
        jsonschema.validate(document, load_schema("caption"))


def test_a_renamed_video_is_done_and_called_by_its_new_name(folder: Path):
    caption(folder, "-r")
    done = finished()
    (folder / "a.mp4").rename(folder / "z.mp4")
    documents = read_documents("\n".join(caption(folder, "--json")))
    assert [document["video"]["path"] for document in documents] == [
        f"{folder}/b.mp4",
        f"{folder}/z.mp4",
    ]
    assert finished() == done


@pytest.mark.parametrize(
    "changed",
    [("--frames", "3"), ("--max-tokens", "5"), ("--seed", "7"), ("--to", "1"), ("--detail", "low")],
    ids=lambda options: options[0],
)
def test_a_changed_setting_is_not_done(folder: Path, changed: tuple[str, str]):
    summary(folder)
    result = invoke("caption", str(folder), *SHORT, *changed)
    assert "done 2, skipped 0" in result.stderr
    result = invoke("caption", str(folder), *SHORT, "--threads", "1", "--no-cache")
    assert "done 0, skipped 2" in result.stderr


def test_another_question_is_not_done(folder: Path):
    for question, said in (("Who?", "done 2"), ("What?", "done 2"), ("Who?", "done 0, skipped 2")):
        result = invoke("ask", "-q", question, str(folder), *SHORT)
        assert said in result.stderr


def test_overwrite_does_it_again(folder: Path):
    summary(folder)
    assert summary(folder, "--overwrite").startswith("done 2, skipped 0")


def test_the_same_content_twice_is_done_once(clip: Path, tmp_path: Path):
    shutil.copy(clip, tmp_path / "copy.mp4")
    assert summary(clip, tmp_path / "copy.mp4").startswith("done 1, skipped 1")
    assert summary(clip, tmp_path / "copy.mp4", "--overwrite").startswith("done 1, skipped 1")


def test_one_bad_file_stops_nothing_and_is_not_tried_again_until_asked(folder: Path, broken: Path):
    shutil.copy(broken, folder / "aa.mp4")
    result = invoke("caption", str(folder), *SHORT, "--json")
    assert result.exit_code == 8
    documents = read_documents(result.stdout)
    assert [entry["schema"]["name"] for entry in documents] == ["caption", "error", "caption"]
    jsonschema.validate(documents[1], load_schema("error"))
    assert "done 2, skipped 0, failed 1" in result.stderr
    again = invoke("caption", str(folder), *SHORT, "--json")
    assert again.exit_code == 8
    assert "--retry-failed" in read_documents(again.stdout)[1]["hint"]
    assert documents[1]["error"] == read_documents(again.stdout)[1]["error"]
    before = query("SELECT finished FROM results WHERE exit_code = 3")
    assert summary(folder, "--retry-failed", code=8).startswith("done 0, skipped 2, failed 1")
    assert query("SELECT finished FROM results WHERE exit_code = 3") > before


def test_a_repaired_file_needs_no_flag(folder: Path, broken: Path, clip: Path):
    shutil.copy(broken, folder / "aa.mp4")
    summary(folder, code=8)
    shutil.copy(clip, folder / "aa.mp4")
    assert summary(folder).startswith("done 1, skipped 2, failed 0")


def test_fail_fast_stops_at_the_first_failure(folder: Path, broken: Path):
    shutil.copy(broken, folder / "aa.mp4")
    result = invoke("caption", str(folder), *SHORT, "--fail-fast")
    assert result.exit_code == 8
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [f"{folder}/a.mp4"]
    assert "done 1, skipped 0, failed 1, not reached 1" in result.stderr


def test_shards_part_the_work_and_leave_nothing_out(folder: Path, clip: Path):
    fill(folder, clip, *(f"more{n}.mp4" for n in range(5)))
    parts = [caption(folder, "-r", "--shard", f"{n}/3") for n in (1, 2, 3)]
    found = [line for part in parts for line in part]
    assert sorted(found) == sorted(caption(folder, "-r"))
    assert len(found) == 8


def test_an_unreadable_file_fails_in_exactly_one_shard(folder: Path, tmp_path: Path):
    codes = [
        invoke("caption", str(folder), f"{tmp_path}/gone.mp4", "--shard", f"{n}/2", *SHORT)
        for n in (1, 2)
    ]
    assert sorted(result.exit_code for result in codes) == [0, 8]


def test_files_mirror_the_tree_and_are_named_on_stdout(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    lines = caption(folder, "-r", "--out-dir", out)
    assert lines == [f"{out}/a.txt", f"{out}/b.txt", f"{out}/sub/c.txt"]
    assert all(Path(line).read_text().strip() for line in lines)
    assert caption(folder, "-r", "--out-dir", out) == []
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_files_beside_the_videos(folder: Path):
    caption(folder, "-r", "--sidecar", "--format", "srt")
    assert sorted(path.name for path in folder.rglob("*.srt")) == ["a.srt", "b.srt", "c.srt"]
    assert (folder / "sub" / "c.srt").read_text().startswith("1\n00:00:00,000 --> 00:00:02,000\n")


def test_a_deleted_file_comes_back_without_the_model(folder: Path):
    caption(folder, "--sidecar", "--json")
    before, done = (folder / "a.json").read_bytes(), finished()
    (folder / "a.json").unlink()
    assert summary(folder, "--sidecar", "--json").startswith("done 0, skipped 2, failed 0")
    assert (folder / "a.json").read_bytes() == before
    assert finished() == done


def test_another_form_of_what_is_done_needs_no_model(folder: Path):
    caption(folder, "--sidecar")
    done = finished()
    for form in ("json", "jsonl", "csv", "srt", "vtt", "md"):
        caption(folder, "--sidecar", "--format", form)
        assert (folder / f"a.{form}").stat().st_size
    assert finished() == done


def test_a_new_answer_replaces_the_old_file_and_the_old_one_comes_back_when_asked_for(
    folder: Path,
):
    def ask(question: str) -> dict[str, str]:
        invoke("ask", "-q", question, str(folder), "--sidecar", "--format", "json", *SHORT)
        found: dict[str, str] = json.loads((folder / "a.json").read_text())
        return found

    assert [ask(text)["question"] for text in ("Who?", "What?", "Who?")] == [
        "Who?",
        "What?",
        "Who?",
    ]


def test_a_run_killed_before_it_replaced_a_file_replaces_it_when_run_again(folder: Path):
    def ask(question: str) -> None:
        invoke("ask", "-q", question, str(folder), "--sidecar", "--json", *SHORT)

    ask("Who?")
    old = (folder / "a.json").read_bytes()
    ask("What?")
    new = (folder / "a.json").read_bytes()
    (folder / "a.json").write_bytes(old)  # as if killed between the journal and the rename
    ask("What?")
    assert (folder / "a.json").read_bytes() == new


def test_somebody_elses_file_is_left_alone(folder: Path):
    (folder / "a.srt").write_text("dialogue")
    caption(folder, "--sidecar", "--format", "srt")
    assert (folder / "a.srt").read_text() == "dialogue"
    assert (folder / "a.mp4.srt").read_text().startswith("1\n")
    assert (folder / "b.srt").exists()
    assert caption(folder, "--sidecar", "--format", "srt") == []


def test_what_a_person_edited_is_kept(folder: Path):
    caption(folder, "--sidecar")
    (folder / "a.txt").write_text("better words")
    assert caption(folder, "--sidecar") == []
    invoke("caption", str(folder), "--sidecar", "--max-tokens", "6")
    assert (folder / "a.txt").read_text() == "better words"
    assert (folder / "a.mp4.txt").exists()


def test_overwrite_takes_the_plain_name_but_never_the_video(folder: Path, clip: Path):
    (folder / "a.txt").write_text("somebody's")
    caption(folder, "--sidecar", "--overwrite")
    assert (folder / "a.txt").read_text() != "somebody's"
    shutil.copy(clip, folder / "film.txt")
    caption(folder / "film.txt", "--sidecar", "--overwrite")
    assert (folder / "film.txt").read_bytes() == clip.read_bytes()


def test_videos_that_share_a_name_share_no_file(clip: Path, tmp_path: Path):
    one, two = fill(tmp_path, clip, "one/x.mp4", "two/x.mp4")
    with two.open("ab") as file:
        file.write(b"!")
    (other,) = fill(tmp_path, clip, "one/x.mkv")
    lines = caption(one, two, other, "--out-dir", tmp_path / "out", "--json")
    assert len(lines) == 3
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(written) == 3
    assert {"x.json", "x.mkv.json"} < set(written)
    again = caption(other, two, one, "--out-dir", tmp_path / "out", "--json")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == written
    assert sorted(again) == sorted(lines)


def test_a_result_that_cannot_be_written_is_a_failure_and_is_kept(folder: Path):
    caption(folder / "a.mp4", "--sidecar")
    (name,) = [row[0] for row in query("SELECT fingerprint FROM results")]
    (folder / "a.txt").unlink()
    for taken in ("a.txt", "a.mp4.txt", f"a.mp4.{name[:8]}.txt"):
        (folder / taken).mkdir()
    assert summary(folder, "--sidecar", code=8).startswith("done 1, skipped 0, failed 1;")
    assert query("SELECT 1 FROM results WHERE exit_code != 0") == []
    (folder / "a.txt").rmdir()
    assert caption(folder, "--sidecar") == [f"{folder}/a.txt"]


def test_a_name_as_long_as_names_may_be_gets_a_file(clip: Path, tmp_path: Path):
    (path,) = fill(tmp_path, clip, "x" * 251 + ".mp4")
    (line,) = caption(path, "--sidecar", "--format", "json")
    assert json.loads(Path(line).read_text())["video"]["path"] == str(path)
    assert len(Path(line).name) == 255


def test_a_video_that_was_replaced_keeps_its_file_name(folder: Path):
    caption(folder, "--sidecar")
    before = (folder / "a.txt").stat().st_mtime_ns
    with (folder / "a.mp4").open("ab") as file:
        file.write(b"other content")
    caption(folder, "--sidecar")
    assert (folder / "a.txt").stat().st_mtime_ns > before
    assert not (folder / "a.mp4.txt").exists()


def test_json_with_files_tells_every_result_on_stdout_too(folder: Path, broken: Path):
    shutil.copy(broken, folder / "aa.mp4")
    lines = caption(folder, "--sidecar", "--format", "srt", "--json", code=8)
    names = [entry["schema"]["name"] for entry in read_documents("\n".join(lines))]
    assert names == ["caption", "error", "caption"]
    assert (folder / "b.srt").exists()


def test_csv_is_one_table_with_the_failures_in_it(folder: Path, broken: Path):
    shutil.copy(broken, folder / "aa.mp4")
    text = "\n".join(caption(folder, "--format", "csv", code=8))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [Path(row["file"]).name for row in rows] == ["a.mp4", "aa.mp4", "b.mp4"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]


def test_subtitles_of_many_videos_are_no_stream(folder: Path):
    result = invoke("caption", str(folder), "--format", "vtt")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--out-dir" in result.stderr


def test_a_folder_that_cannot_be_written_is_a_usage_error(folder: Path, clip: Path):
    result = invoke("caption", str(folder), "--out-dir", str(clip / "x"), *SHORT)
    assert (result.exit_code, result.stdout) == (2, "")


def test_leftovers_of_killed_runs_are_removed_in_time(folder: Path):
    old, fresh = folder / ".a.txt.abc12345.tmp", folder / ".a.txt.def12345.tmp"
    old.touch()
    fresh.touch()
    os.utime(old, (time.time() - 3600,) * 2)
    caption(folder, "--sidecar")
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_check_of_many_is_yes_only_where_all_are(folder: Path):
    yes = invoke("check", str(folder), "a dog", "--threshold", "0", "--frames", "2")
    assert yes.exit_code == 0
    assert [line.split(": ")[1][:4] for line in yes.stdout.splitlines()] == ["yes ", "yes "]
    no = invoke("check", str(folder), "a dog", "--threshold", "1", "--frames", "2")
    assert (no.exit_code, no.stdout.count(": no ")) == (1, 2)
    assert "done 0, skipped 2" in no.stderr


def test_a_failure_counts_more_than_a_no(folder: Path, broken: Path):
    result = invoke("check", str(folder), str(broken), "a dog", "--threshold", "1", "--frames", "2")
    assert result.exit_code == 8


def test_a_missing_model_ends_the_run_at_once(folder: Path):
    result = invoke("caption", str(folder), *NO_MODEL)
    assert (result.exit_code, result.stdout) == (4, "")


def test_names_that_are_no_text_get_their_files(clip: Path, tmp_path: Path):
    folder = os.fsencode(tmp_path)
    for name in (b"\xff.mp4", b"two\nlines.mp4"):
        try:
            shutil.copy(clip, os.path.join(folder, name))
        except OSError:
            pytest.skip("this file system does not hold such a name")
    done = spawn("caption", folder, "--sidecar", "--format", "json", "--json", *SHORT)
    assert done.returncode == 0, done.stderr
    for name in (b"\xff", b"two\nlines"):
        with open(os.path.join(folder, name + b".json"), "rb") as file:
            assert os.fsencode(json.load(file)["video"]["path"]) == os.path.join(
                folder, name + b".mp4"
            )


def test_decoding_ahead_changes_no_answer(folder: Path):
    many = read_documents("\n".join(caption(folder, "-r", "--json", "--select", "shots")))
    shutil.rmtree(cache_dir() / "tokens")
    for document in many:
        path = document["video"]["path"]
        (alone,) = read_documents("\n".join(caption(path, "--json", "--select", "shots")))
        assert alone["caption"] == document["caption"]
        assert alone["frames"] == document["frames"]


def test_a_terminal_is_told_which_video_and_how_long_the_rest_takes(folder: Path, clip: Path):
    fill(folder, clip, *(f"more{n}.mp4" for n in range(3)))
    child = pexpect.spawn(
        VIDCLI[0],
        [*VIDCLI[1:], "caption", str(folder), *SHORT],
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 80),
    )
    child.expect(r"video 1/5: encode 1/2")
    child.expect(r"video 4/5, about 0:\d\d left: encode")
    child.expect("done 5, skipped 0, failed 0")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_the_next_video_is_decoded_while_this_one_is_answered(
    folder: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
):
    fill(folder, clip, *(f"more{n}.mp4" for n in range(4)))
    begun: list[str] = []
    real = AheadVideo.start

    def start(self: AheadVideo, plan: FramePlan, *, size: tuple[int, int]) -> None:
        begun.append(self.info.path)
        real(self, plan, size=size)

    monkeypatch.setattr(AheadVideo, "start", start)
    caption(folder)
    assert begun
    assert begun == sorted(begun)
    assert f"{folder}/a.mp4" not in begun
    begun.clear()
    invoke("ask", "-q", "Who?", str(folder), *SHORT)
    assert begun == [], "what is in the cache was decoded again"


def test_an_empty_list_is_nothing_to_do():
    result = invoke("caption", "-", stdin="")
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_dry_run_of_many_writes_no_journal(folder: Path):
    result = invoke("caption", str(folder), "--dry-run", "--json")
    assert result.exit_code == 0
    assert [entry["schema"]["name"] for entry in read_documents(result.stdout)] == ["plan", "plan"]
    assert finished() == {}
