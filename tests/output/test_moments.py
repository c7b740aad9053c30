"""Moments as rows, and their scores as a curve of letters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.output.moment_reports import make_found
from vidcli.output.curve import MARGIN, ROWS, draw_curve, sample
from vidcli.output.forms import Form, render_file, say_result
from vidcli.output.moments import keep_best, moments_document, say_found


def document(**given: Any) -> dict[str, Any]:
    made = moments_document(make_found(), window_s=1.0, step_s=1.0)
    return {**made, "coverage": {**made["coverage"], "start_s": 0.0, "end_s": 3.0}, **given}


def test_a_line_a_moment_and_a_cue_with_what_was_looked_for():
    assert say_result(document()) == "0:00.0–0:01.0 0.750\n0:02.0–0:03.0 0.900"
    srt = render_file(document(), Form.SRT).decode()
    assert srt.splitlines()[:3] == ["1", "00:00:00,000 --> 00:00:01,000", r"a cat\x1b[31m"]


def test_the_best_are_kept_in_order_of_time():
    kept = keep_best(document(), 1)
    assert [(m["number"], m["start_s"]) for m in kept["moments"]] == [(1, 2)]
    assert kept["left_out"] == 1
    assert keep_best(document(), 2) == keep_best(document(), None) == document()


def test_one_line_says_what_it_rests_on():
    assert say_found(make_found()).startswith("2 moments in 3 windows and 1 closer look; ")


def test_a_curve_in_letters():
    drawn = draw_curve(document(), width=36, color=False, ascii_only=True).splitlines()
    assert len(drawn) == ROWS + 2
    assert drawn[0].startswith("1.00")
    assert "0.60 " in {line[:MARGIN] for line in drawn}
    assert "#" in drawn[1]
    assert drawn[-2].strip() == "=" * 10 + " " * 10 + "=" * 10
    assert drawn[-1].split() == ["0:00.0", "0:01.5", "0:03.0"]
    assert all(line.isascii() for line in drawn)


@given(st.integers(1, 200), st.booleans(), st.booleans())
def test_a_curve_is_as_wide_as_it_may_be(width: int, color: bool, ascii_only: bool):
    drawn = draw_curve(document(), width=width, color=color, ascii_only=ascii_only)
    for code in ("\x1b[32m", "\x1b[2m", "\x1b[0m"):
        assert color or code not in drawn
        drawn = drawn.replace(code, "")
    assert max(map(len, drawn.splitlines())) <= max(width, 20) - 1
    assert drawn.isascii() or not ascii_only


def test_the_curve_is_straight_between_its_points():
    points = [(1.0, 0.0), (3.0, 1.0)]
    assert sample(points, 0, 4, 4) == pytest.approx([0, 0.25, 0.75, 1])
    assert sample([(1.0, 0.4)], 0, 4, 2) == [0.4, 0.4]
