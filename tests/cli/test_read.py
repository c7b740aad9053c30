"""`read` tells which text is on the screen, and from when to when."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.folder import fill, finished
from tests.cli.run import invoke
from tests.clips import ClipCache, make_clip
from tests.screens import (
    ANSWER,
    ANSWERED,
    COMMAND,
    GREETING,
    LOG,
    SESSION,
    SHOWN,
    SLIDES,
    TYPED,
    letter,
    make_log,
    make_slides,
    make_terminal,
)
from vidcli.output.schema import load_schema

EDGE_S = 0.25  # an eighth of a second, and a frame on either side


@pytest.fixture
def slides(clips: ClipCache) -> Path:
    return clips.build(".mp4", make_slides, key="slides")


@pytest.fixture
def terminal(clips: ClipCache) -> Path:
    return clips.build(".mp4", make_terminal, key="terminal")


def read(*args: str) -> dict[str, Any]:
    result = invoke("read", *args, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("screen-text"))
    return document


def lines_of(document: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Span of each line; a line that is there twice would be an error."""
    found: dict[str, tuple[float, float]] = {}
    for text in document["texts"]:
        for line in text["lines"]:
            assert line["text"] not in found
            found[line["text"]] = (text["start_s"], text["end_s"])
    return found


def test_every_line_of_a_slide_deck_is_found_with_its_times(slides: Path):
    found = lines_of(read(str(slides)))
    truth: dict[str, tuple[float, float]] = {}
    for start, end, lines in SLIDES:
        for line in lines:
            truth[line] = (truth.get(line, (start, end))[0], end)
    assert set(found) == set(truth)
    for line, (start, end) in truth.items():
        assert found[line] == pytest.approx((start, end), abs=EDGE_S), line


def test_a_terminal_with_slow_typing_is_read_though_no_shot_ends(terminal: Path):
    shots = invoke("shots", str(terminal), "--json")
    assert len(json.loads(shots.stdout)["shots"]) == 1, "scene detection is blind to it"
    document = read(str(terminal))
    found = lines_of(document)
    assert set(found) == {GREETING, COMMAND, ANSWER}
    assert found[GREETING] == (0.0, SESSION)
    assert found[COMMAND][0] < TYPED[0] + 1.0, "from its first letters on, not from its last"
    assert found[COMMAND][1] == SESSION
    assert found[ANSWER] == pytest.approx((ANSWERED, SESSION), abs=EDGE_S)
    assert document["read"] <= document["coverage"]["frames"]


def test_lines_that_scroll_by_are_each_found_once_with_their_times(clips: ClipCache):
    found = lines_of(read(str(clips.build(".mp4", make_log, key="log"))))
    assert set(found) == set(LOG)
    for number, line in enumerate(LOG):
        gone = 0.5 * (number + SHOWN) if number + SHOWN < len(LOG) else 10.0
        assert found[line] == pytest.approx((0.5 * number, gone), abs=0.5 + EDGE_S), line


def test_a_still_screen_is_read_once(clips: ClipCache):
    clip = clips.build(
        ".mp4",
        lambda path: make_clip(
            path, duration=4, size=(640, 360), rate=10, draw=lambda _, size: letter_once(size)
        ),
        key="a still screen",
    )
    document = read(str(clip))
    assert document["read"] == 1
    assert [text["text"] for text in document["texts"]] == ["nothing ever changes"]
    assert (document["texts"][0]["start_s"], document["texts"][0]["end_s"]) == (0.0, 4.0)


def letter_once(size: tuple[int, int]) -> Any:
    return letter(["nothing ever changes"], size=size)


def test_words_of_the_drawn_world_are_read_as_they_were_drawn(tmp_path: Path):
    made = tmp_path / "world"
    sizes = ("--clips", "60", "--seed", "6", "--split", "eval", "--size", "128")
    assert invoke("data", "synth", "--out", str(made), *sizes).exit_code == 0
    questions = map(json.loads, (made / "questions.jsonl").read_text().splitlines())
    truth = {entry["video"]: entry["answer"] for entry in questions if entry["kind"] == "word"}
    assert len(truth) >= 8
    result = invoke("read", *(str(made / video) for video in truth), "--format", "jsonl")
    read_right = sum(
        word in {line["text"] for text in document["texts"] for line in text["lines"]}
        for word, document in zip(
            truth.values(), map(json.loads, result.stdout.splitlines()), strict=True
        )
    )
    assert read_right >= len(truth) - 1


def test_a_part_of_a_video_is_read_on_the_videos_clock(slides: Path):
    document = read(str(slides), "--from", "3", "--to", "6")
    found = lines_of(document)
    assert found["Headcount 41"] == pytest.approx((3.0, 4.7), abs=EDGE_S)
    assert found["Thank you"] == pytest.approx((4.7, 6.0), abs=EDGE_S)
    assert "Revenue up 12 percent" not in found


def test_looking_more_often_finds_times_more_exactly(slides: Path):
    document = read(str(slides), "--every", "0.4")
    assert document["step_s"] == 0.4
    assert lines_of(document)["Headcount 41"] == pytest.approx((2.3, 4.7), abs=0.101)


def test_texts_that_begin_together_are_in_reading_order(slides: Path):
    texts = [text["text"] for text in read(str(slides))["texts"]]
    assert [text.split("\n")[0] for text in texts] == [
        "Quarterly results",
        "Revenue up 12 percent",
        "Headcount 41",
        "Thank you",
    ]


def test_text_comes_as_a_table_with_times(slides: Path):
    result = invoke("read", str(slides))
    assert result.exit_code == 0
    assert "0:04.7  0:07.0  Thank you\n                questions@example.org\n" in result.stdout
    assert "4 texts in 8 looks" in result.stderr


def test_subtitles_follow_the_lines(slides: Path):
    result = invoke("read", str(slides), "--format", "srt")
    assert result.exit_code == 0
    blocks = result.stdout.strip().split("\n\n")
    assert len(blocks) == 4
    assert blocks[3].split("\n")[1].endswith("--> 00:00:07,000")
    assert blocks[3].split("\n")[2:] == ["Thank you", "questions@example.org"]


def test_grep_gives_out_what_matches_and_decides_the_exit_code(slides: Path, terminal: Path):
    hit = invoke("read", str(slides), "--grep", "BERN|zürich", "--json")
    assert hit.exit_code == 0
    assert len(json.loads(hit.stdout)["texts"]) == 1
    miss = invoke("read", str(slides), "--grep", "zebra")
    assert (miss.exit_code, miss.stdout) == (1, "")
    one_of_two = invoke("read", str(slides), str(terminal), "--grep", "dog")
    assert one_of_two.exit_code == 0
    assert one_of_two.stdout.splitlines()[0] == f"{terminal}:"


def test_a_pattern_that_is_none_is_a_usage_error(slides: Path):
    result = invoke("read", str(slides), "--grep", "(")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--grep (" in result.stderr


def test_short_and_unsure_lines_are_left_out_and_counted(clips: ClipCache):
    clip = clips.build(
        ".mp4",
        lambda path: make_clip(
            path, duration=1, size=(640, 360), rate=10, draw=lambda _, size: letter(["7"])
        ),
        key="one digit",
    )
    assert (read(str(clip))["texts"], read(str(clip))["left_out"]) == ([], 1)
    document = read(str(clip), "--min-letters", "1")
    assert ([text["text"] for text in document["texts"]], document["left_out"]) == (["7"], 0)


def test_a_folder_is_read_into_files_and_never_twice(slides: Path, tmp_path: Path):
    fill(tmp_path / "in", slides, "a.mp4", "b.mp4")
    (tmp_path / "in" / "broken.mp4").write_bytes(b"no video at all")
    args = ("read", str(tmp_path / "in"), "--out-dir", str(tmp_path / "out"), "--format", "vtt")
    result = invoke(*args)
    assert result.exit_code == 8
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.vtt", "b.vtt"]
    assert "Offices in Bern and Graz" in (tmp_path / "out" / "a.vtt").read_text()
    before = finished()
    again = invoke(*args)
    assert (again.exit_code, finished()) == (8, before)
    assert "done 0, skipped 2, failed 1" in again.stderr


def test_csv_has_a_row_for_each_text(slides: Path):
    result = invoke("read", str(slides), str(slides), "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row["question"] for row in rows] == ["text"] * 8
    assert rows[0]["file"] == str(slides)


def test_without_the_extra_it_says_how_to_install_it(slides: Path):
    script = (
        "import sys; sys.modules['rapidocr'] = None; sys.modules['rapidocr.main'] = None\n"
        "from vidcli.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "read", str(slides)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "")
    assert "pip install 'vidcli[ocr]'" in done.stderr


def test_what_reading_takes_is_measured_beforehand(slides: Path):
    result = invoke("read", str(slides), "--every", "0.5", "--to", "2", "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    jsonschema.validate(plan, load_schema("tool-plan"))
    assert plan["tool"].startswith("RapidOCR")
    assert (plan["unit"], plan["amount"], plan["kept"]) == ("pictures", 5, 0)
    assert plan["seconds"]["at_most"]
    assert plan["seconds"]["total"] == pytest.approx(5 * plan["seconds"]["each"], abs=1e-4)
    assert plan["seconds"]["each"] > 0
    text = invoke("read", str(slides), "--every", "0.5", "--to", "2", "--dry-run")
    assert (text.exit_code, "5 pictures" in text.stdout) == (0, True)
    assert "at most" in text.stdout
    none = invoke("read", str(slides), "--grep", "nowhere", "--dry-run")
    assert none.exit_code == 0, "nothing was looked for"
