"""A result comes out the same in every form, and programs that read the form accept it."""

import csv
import io
import json
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.output.results import make_answer
from vidcli.core.results import Evidence
from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.output.documents import (
    answer_document,
    caption_document,
    check_document,
    error_document,
)
from vidcli.output.forms import (
    CSV_COLUMNS,
    Form,
    csv_row,
    render_file,
    say_result,
    write_srt,
    write_vtt,
)

CLOCK = r"\d\d:\d\d:\d\d"


def cited(*entries: tuple[float, float, str]) -> dict[str, Any]:
    spans = [(Span(Fraction(start), Fraction(end)), quote) for start, end, quote in entries]
    return answer_document(
        make_answer(evidence=tuple(Evidence(span, (), quote) for span, quote in spans))
    )


def uncited(text: str) -> dict[str, Any]:
    return caption_document(make_answer(text=text, evidence=()))


def test_a_caption_is_one_cue_over_what_was_seen():
    document = uncited("A dog.\n\nIt runs.")
    coverage = document["coverage"]
    assert coverage["start_s"] == 0
    number, times, *text = write_srt(document).splitlines()
    assert (number, text) == ("1", ["A dog.", "It runs."])
    assert re.fullmatch(rf"00:00:00,000 --> {CLOCK},\d{{3}}", times)


def test_what_was_cited_becomes_cues_at_its_times_in_their_order():
    document = cited((3661.5, 3662.25, "late"), (0.5, 2, "early"))
    assert write_srt(document) == (
        "1\n00:00:00,500 --> 00:00:02,000\nearly\n\n2\n01:01:01,500 --> 01:01:02,250\nlate\n"
    )
    assert write_vtt(document) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nearly\n\n01:01:01.500 --> 01:01:02.250\nlate\n"
    )


def test_what_a_model_writes_cannot_break_a_cue():
    document = uncited("a <b> & --> c\n \n\n7\nd")
    body = write_vtt(document).split("\n", 3)[3]
    assert body == "a &lt;b&gt; &amp; --&gt; c\n7\nd\n"
    assert "\n\n" not in write_srt(document)


@given(st.text(alphabet="ab,\"\n\r;'\x1b é", max_size=20))
def test_a_csv_row_gives_back_what_went_in(text: str):
    row = next(csv.reader(io.StringIO(csv_row(uncited(text)), newline="")))
    values = dict(zip(CSV_COLUMNS, row, strict=True))
    assert values["answer"] == say_result(uncited(text))
    assert values["error"] == ""


def test_an_error_is_a_csv_row_too():
    row = next(csv.reader([csv_row(error_document("a,b.mp4", MediaError("broken")))]))
    values = dict(zip(CSV_COLUMNS, row, strict=True))
    assert (values["file"], values["error"], values["answer"]) == ("a,b.mp4", "broken", "")


def test_a_check_says_its_verdict():
    document = check_document(make_answer(), probability=0.25, threshold=0.5)
    assert render_file(document, Form.TEXT) == b"no 0.250\n"
    assert say_result({**document, "holds": True}) == "yes 0.250"


def test_json_is_the_document_indented_or_on_one_line():
    document = uncited("é")
    assert json.loads(render_file(document, Form.JSON)) == document
    lines = render_file(document, Form.JSONL)
    assert (json.loads(lines), lines.count(b"\n")) == (document, 1)


def test_markdown_shows_the_question_and_the_times():
    text = render_file(cited((0.5, 2, "a dog runs")), Form.MD).decode()
    assert text.startswith("## ")
    assert "- 0:00.5–0:02.0: a dog runs\n" in text
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("form", Form)
def test_every_form_is_text_that_ends_its_last_line_and_moves_no_cursor(form: Form):
    document = uncited("a\x1b[2Jb")
    document["video"]["path"] = "bytes \udcff\x1b.mp4"
    content = render_file(document, form)
    assert content.endswith(b"\n")
    if form is not Form.CSV:  # there names are data, and quoted as such
        assert b"\x1b" not in content
