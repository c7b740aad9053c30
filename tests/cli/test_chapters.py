"""`chapters` as people use it; what chapters are made of is tested with `summarize`."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import jsonschema
import pytest

from tests.cli.run import invoke
from tests.cli.test_summarize import colors, kept_pieces
from tests.clips import ClipCache
from vidcli.core.media import Chapter
from vidcli.core.time import Span
from vidcli.media.chapters import write_chapters
from vidcli.media.probe import probe
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.usefixtures("model")
SHORT = ("--max-tokens", "8")
__all__ = ["colors"]


def chapters(*args: str | Path, code: int = 0) -> str:
    result = invoke("chapters", *map(str, args), *SHORT)
    assert result.exit_code == code, result.stderr
    return result.stdout


def document_of(*args: str | Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(chapters(*args, "--json"))
    jsonschema.validate(made, load_schema("chapters"))
    return made


@pytest.fixture
def marked(colors: Path, tmp_path: Path) -> Path:
    """The colours with two chapters of the author's."""
    target = tmp_path / "marked.mkv"
    marks = [
        Chapter(Span(Fraction(0), Fraction(6)), "One"),
        Chapter(Span(Fraction(6), Fraction(15)), "Two"),
    ]
    write_chapters(str(colors), target, marks, overwrite=False)
    return target


def test_a_line_a_chapter_as_sites_read_them(colors: Path):
    lines = chapters(colors).splitlines()
    assert lines[0].split()[0] == "0:00"
    assert all(line.split()[0] in ("0:00", "0:05", "0:10") for line in lines)


def test_chapters_are_those_of_the_summary_and_cost_no_paragraph(colors: Path):
    made = document_of(colors)
    pieces = kept_pieces()
    whole = json.loads(invoke("summarize", str(colors), *SHORT, "--json").stdout)
    assert made["chapters"] == whole["chapters"]
    assert whole["steps"] == made["steps"] + 1
    assert [entry["from_cache"] for entry in whole["segments"]] == [True] * 3
    assert len(kept_pieces()) == len(pieces) + 1, "one reply more, the paragraph"
    assert "summary" not in made


def test_the_author_s_chapters_cost_nothing(marked: Path):
    made = document_of(marked)
    assert [(c["start_s"], c["end_s"], c["title"]) for c in made["chapters"]] == [
        (0, 6, "One"),
        (6, 15, "Two"),
    ]
    assert (made["chapters_from"], made["segments"], made["steps"]) == ("file", [], 0)
    assert made["usage"]["visual_tokens"] == made["usage"]["prompt_tokens"] == 0
    assert made["coverage"]["frames"] == 0
    assert "2 chapters, the file's own" in invoke("chapters", str(marked), *SHORT).stderr
    anew = document_of(marked, "--ignore-chapters")
    assert (anew["chapters_from"], len(anew["segments"])) == ("model", 3)


def test_a_part_without_marks_is_watched(marked: Path):
    made = document_of(marked, "--from", "7", "--to", "14")
    assert made["chapters_from"] == "file"
    assert [(c["start_s"], c["end_s"]) for c in made["chapters"]] == [(7, 14)]


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        (("--ffmetadata",), ";FFMETADATA1"),
        (("--format", "vtt"), "WEBVTT"),
        (("--format", "md"), "#"),
    ],
)
def test_chapters_are_written_as_players_read_them(
    colors: Path, form: tuple[str, ...], begins: str
):
    made = document_of(colors)
    text = chapters(colors, *form)
    assert text.startswith(begins)
    assert all(chapter["title"][:20] in text for chapter in made["chapters"])
    assert text.count("-->") == (len(made["chapters"]) if begins == "WEBVTT" else 0)


def test_the_chapters_of_a_single_shot_are_one_cue(clips: ClipCache):
    short = clips.get(duration=2.0, rate=5, size=(64, 36))
    assert chapters(short, "--format", "vtt").count("-->") == 1


def test_csv_has_a_row_for_each(marked: Path):
    rows = chapters(marked, "--format", "csv").splitlines()
    assert [row.split(",")[1:3] for row in rows[1:]] == [["chapter 1", "One"], ["chapter 2", "Two"]]


def test_a_copy_is_written_with_marks(colors: Path, tmp_path: Path):
    target = tmp_path / "out.mkv"
    made = document_of(colors, "--write-chapters", target)
    found = [(float(c.span.start), float(c.span.end), c.title) for c in probe(str(target)).chapters]
    assert found == [(c["start_s"], c["end_s"], c["title"]) for c in made["chapters"]]
    with av.open(str(target)) as copy:
        assert copy.streams.video[0].codec_context.name == "h264"


def test_chapters_of_many_videos_say_which(colors: Path, marked: Path, broken: Path):
    result = invoke("chapters", str(marked), str(broken), str(colors), *SHORT)
    assert result.exit_code == 8
    lines = result.stdout.splitlines()
    assert [line for line in lines if line.startswith(f"{marked}: ")] == lines[:2]
    assert all(line.startswith(f"{colors}: ") for line in lines[2:])
    assert lines[2:]


@pytest.mark.parametrize(
    "options",
    [
        ("--ffmetadata", "--json"),
        ("--ffmetadata", "--format", "md"),
        ("{clip}", "--ffmetadata"),
        ("--write-chapters", "out.avi"),
        ("--subtitles", "gone.srt"),
    ],
)
def test_options_that_contradict_are_usage_errors(colors: Path, options: tuple[str, ...]):
    args = [option.format(clip=colors) for option in options]
    result = invoke("chapters", str(colors), *args)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_dry_run_says_what_the_author_s_chapters_save(marked: Path):
    result = invoke("chapters", str(marked), "--dry-run", "--json")
    assert result.exit_code == 0
    jsonschema.validate(json.loads(result.stdout), load_schema("summary-plan"))
    assert "chapters of its own, which cost nothing" in result.stderr
