"""Text for people is safe on a terminal and lines up."""

import os
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.output.results import make_answer, make_info, make_rehearsal
from vidcli.core.media import Coverage, Shot, Transition
from vidcli.core.results import CacheUse, Evidence, Usage
from vidcli.core.time import Span
from vidcli.output import accounts, tables
from vidcli.output.plain import align, count, format_size, printable


def test_nothing_in_a_name_can_reach_the_terminal():
    assert printable("a\nb\x1b[31mc\u202ed") == "a\\nb\\x1b[31mc\\u202ed"
    assert printable(os.fsdecode(b"caf\xc3\xa9 \xff.mp4")) == "café \\xff.mp4"
    assert printable("line\nline\t", keep="\n\t") == "line\nline\t"


@given(st.text())
def test_printable_text_stays_as_it_is(text: str):
    safe = printable(text)
    assert safe.isprintable()
    assert printable(safe) == safe
    if text.isprintable():
        assert safe == text


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB")],
)
def test_sizes_read_as_people_write_them(n_bytes: int, text: str):
    assert format_size(n_bytes) == text


def test_one_frame_and_two_frames():
    assert (count(1, "frame"), count(2, "frame")) == ("1 frame", "2 frames")
    assert count(0, "entry", "entries") == "0 entries"


def test_columns_line_up_without_trailing_blanks():
    assert align([("a", "1"), ("bbb", "22"), ("c",)], right=(1,)) == "a     1\nbbb  22\nc\n"


def test_info_tells_what_the_file_says_and_no_escape_sequence():
    rows = dict(tables.info_rows(make_info()))
    assert rows["duration"] == "1:30 (90.000 s)"
    assert rows["picture"] == "576×1024, stored 720×576, rotated 90°, pixels 64:45"
    assert rows["frame rate"] == "29.97 a second, constant"
    assert rows["audio"] == "#1 aac, 48000 Hz, 2 channels, eng"
    assert rows["subtitles"] == "#2 mov_text, text"
    assert rows["chapter"] == "0:00 One\\x1b[31m"
    assert rows["warning"] == "file ends at 9.9 s of 20.0 s"
    assert "created" not in rows
    assert dict(tables.info_rows(make_info(duration=None)))["duration"] == "unknown"


SHOTS = [
    Shot(Span(Fraction(0), Fraction(4, 3)), Transition.START),
    Shot(Span(Fraction(4, 3), Fraction(2)), Transition.CUT),
]


def test_shots_as_rows_and_as_csv():
    assert tables.shot_rows(SHOTS)[1] == ("2", "0:01.33", "0:02.00", "0.67 s", "cut")
    assert tables.shots_csv("a,b.mp4", SHOTS, header=True) == (
        "file,shot,start_s,end_s,length_s,transition\n"
        '"a,b.mp4",1,0.000,1.333,1.333,start\n'
        '"a,b.mp4",2,1.333,2.000,0.667,cut\n'
    )


def test_a_table_on_a_narrow_terminal_loses_nothing():
    text = tables.draw_table([("name", "x" * 50)], color=False, width=20)
    assert text.count("x") == 50
    assert all(len(line) <= 20 for line in text.splitlines())
    assert "\x1b" not in text


def test_markup_in_a_cell_is_text():
    assert "[red]x[/red]" in tables.draw_table([("[red]x[/red]",)], color=True, width=40)


def test_coverage_reads_as_one_line():
    coverage = Coverage(Span(Fraction(0), Fraction(10)), 16, Span(Fraction(1), Fraction(8, 5)))
    assert tables.say_coverage(coverage) == "16 frames, 0:00–0:10, largest unseen gap 0.6 s"


def test_evidence_names_citations_and_caches_where_there_are_any():
    answer = make_answer()
    assert tables.say_evidence(answer) == (
        "2 frames, 0:00.0–0:02.0, largest unseen gap 1.0 s (cache: tokens hit, prefix miss)"
    )
    cited = make_answer(
        evidence=(Evidence(Span(Fraction(1), Fraction(2)), answer.frames, "A dog leaves"),),
        usage=Usage(visual_cache=CacheUse.OFF, prefix_cache=CacheUse.OFF),
    )
    assert tables.say_evidence(cited).endswith("gap 1.0 s; cited 0:01.0–0:02.0")


def test_a_plan_reads_as_a_few_lines():
    rows = dict(accounts.plan_rows(make_rehearsal()))
    assert rows["frames"] == "3 frames, 0:00.0–0:03.0, largest unseen gap 1.0 s, by uniform"
    assert rows["at"] == "0:00.5, 0:01.5, 0:02.5"
    assert rows["context"] == (
        "232 of 8192 cells, 192 of them visual tokens, 256 kept for the answer"
    )
    assert rows["time"].startswith("at most 1:36: decode 0.5 s, encode 1:30, ")
    assert rows["memory"] == "at most 1.0 GiB"
    assert rows["size"] == "512×512, 64 visual tokens a frame"
    merged = dict(accounts.plan_rows(make_rehearsal(frames_per_group=2)))
    assert merged["size"] == "512×512, 64 visual tokens for 2 frames"


def test_a_long_plan_names_its_first_and_last_instants():
    rows = dict(accounts.plan_rows(make_rehearsal(100)))
    assert rows["at"] == "0:00.5, 0:01.5, 0:02.5, 0:03.5, …, 1:37.5, 1:38.5, 1:39.5"
