"""`frames` writes the right pictures at the right times, under names that tell them."""

import json
from pathlib import Path

import cv2
import jsonschema
import pytest

from tests.cli.run import invoke, shell
from tests.clips import ClipCache, read_number
from vidcli.output.schema import load_schema


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    return clips.get(duration=2.0)


def load(path: Path | str):  # type: ignore[no-untyped-def]
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(("name", "extension"), [("jpeg", "jpg"), ("png", "png"), ("webp", "webp")])
def test_pictures_are_the_frames_on_screen_and_their_names_carry_the_times(
    clip: Path, tmp_path: Path, name: str, extension: str
):
    result = invoke("frames", str(clip), "-o", str(tmp_path), "--frames", "4", "--format", name)
    assert result.exit_code == 0
    files = [Path(line) for line in result.stdout.splitlines()]
    assert [file.name for file in files] == [
        f"{clip.stem}_000000.{ms:03d}.{extension}" for ms in (240, 720)
    ] + [f"{clip.stem}_000001.{ms:03d}.{extension}" for ms in (240, 720)]
    assert [read_number(load(file)) for file in files] == [6, 18, 31, 43]
    assert sorted(file.name for file in tmp_path.iterdir()) == [file.name for file in files]


def test_the_manifest_says_what_was_taken_and_why(clip: Path, tmp_path: Path):
    result = invoke("frames", str(clip), "-o", str(tmp_path), "--fps", "2", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("frames"))
    assert document["rule"] == "fps"
    assert [entry["wanted_s"] for entry in document["frames"]] == [0.25, 0.75, 1.25, 1.75]
    for entry in document["frames"]:
        assert read_number(load(entry["file"])) == round(entry["time_s"] * 25)
        assert (entry["width"], entry["height"], entry["reason"]) == (192, 108, "fps")
    assert document["coverage"]["frames"] == 4


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--from", "1", "--frames", "2"], [31, 43]),
        (["--to", "0:01", "--frames", "1"], [12]),
        (["--select", "keyframes"], [0, 12, 24, 36, 48]),
    ],
)
def test_options_choose_which_frames(
    clip: Path, tmp_path: Path, options: list[str], numbers: list[int]
):
    result = invoke("frames", str(clip), "-o", str(tmp_path), *options)
    assert result.exit_code == 0
    assert [read_number(load(line)) for line in result.stdout.splitlines()] == numbers


def test_a_size_bounds_the_longest_side_and_enlarges_nothing(clip: Path, tmp_path: Path):
    for wanted, shape in ((96, (54, 96)), (5000, (108, 192))):
        options = ["--frames", "1", "--size", str(wanted)]
        result = invoke("frames", str(clip), "-o", str(tmp_path), *options)
        assert load(result.stdout.strip()).shape[:2] == shape


def test_quality_changes_the_size_of_a_jpeg(clip: Path, tmp_path: Path):
    sizes = []
    for quality in ("5", "95"):
        options = ["--frames", "1", "--quality", quality]
        result = invoke("frames", str(clip), "-o", str(tmp_path / quality), *options)
        sizes.append(Path(result.stdout.strip()).stat().st_size)
    assert sizes[0] < sizes[1]


def test_a_single_picture_is_written_once_however_many_are_asked_for(
    clips: ClipCache, tmp_path: Path
):
    still = clips.get(duration=0.04)
    result = invoke("frames", str(still), "-o", str(tmp_path), "--frames", "5")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)


def test_a_sheet_holds_every_frame(clip: Path, tmp_path: Path):
    sheet = tmp_path / "sheet.png"
    result = invoke("frames", str(clip), "--sheet", str(sheet), "--frames", "6", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("frames"))
    assert document["sheet"] == str(sheet)
    assert [entry["file"] for entry in document["frames"]] == [None] * 6
    height, width = load(sheet).shape[:2]
    assert width * height >= 6 * 192 * 108
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_nowhere_to_put_them_is_a_usage_error(clip: Path):
    result = invoke("frames", str(clip))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--sheet" in result.stderr


@pytest.mark.parametrize("sheet", ["sheet", "sheet.gif"])
def test_a_sheet_of_no_known_format_is_a_usage_error(clip: Path, tmp_path: Path, sheet: str):
    result = invoke("frames", str(clip), "--sheet", str(tmp_path / sheet))
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_place_that_cannot_be_written_is_a_usage_error(clip: Path, tmp_path: Path):
    (tmp_path / "file").touch()
    result = invoke("frames", str(clip), "-o", str(tmp_path / "file"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot write" in result.stderr


def test_a_broken_video_leaves_no_file(tmp_path: Path):
    (tmp_path / "text.mp4").write_text("no video")
    result = invoke("frames", str(tmp_path / "text.mp4"), "-o", str(tmp_path / "out"))
    assert (result.exit_code, result.stdout) == (3, "")
    assert not (tmp_path / "out").exists()


def test_a_reader_that_leaves_early_ends_it_quietly(clip: Path, tmp_path: Path):
    done = shell(
        '$VIDCLI frames "$1" -o "$2" --fps 25 --quiet | head -1; echo ${PIPESTATUS[0]}',
        str(clip),
        str(tmp_path),
    )
    name, code = done.stdout.splitlines()
    assert (Path(name).name, code) == (f"{clip.stem}_000000.000.jpg", "0")
    assert done.stderr == ""


def test_a_sheet_of_too_many_is_a_usage_error(clip: Path, tmp_path: Path):
    result = invoke("frames", str(clip), "--sheet", str(tmp_path / "s.jpg"), "--frames", "1001")
    assert (result.exit_code, result.stdout) == (2, "")


def test_shots_are_shown_once_where_nothing_changes(clips: ClipCache, tmp_path: Path):
    from tests.clips import make_clip, still_colors

    colors = still_colors((200, 30, 30), (30, 30, 200))
    still = clips.build(
        ".mp4", lambda path: make_clip(path, duration=2.0, draw=colors), key="two still colours"
    )
    result = invoke("frames", str(still), "-o", str(tmp_path), "--select", "shots", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [entry["time_s"] < 1 for entry in document["frames"]] == [True, False]
    assert any("look like the one before" in warning for warning in document["warnings"])
