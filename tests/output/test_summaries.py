"""A summary in every form: its times are right, and nothing in it leaves its place."""

import csv
import io
import json

import jsonschema
import pytest

from tests.output.results import make_summary, make_summary_rehearsal
from vidcli.core.summary import ChapterOrigin
from vidcli.output.chapters import ChapterForm
from vidcli.output.forms import CSV_COLUMNS, Form, render_file, say_result
from vidcli.output.schema import load_schema
from vidcli.output.summaries import (
    say_summary,
    summary_document,
    summary_plan_document,
    summary_plan_rows,
)

DOCUMENT = summary_document(make_summary())


def render(form: Form | ChapterForm) -> str:
    return render_file(DOCUMENT, form).decode()


def test_text_is_title_paragraph_and_chapters():
    assert say_result(DOCUMENT) == (
        "A dog's day\n\nIt leaves. Then it rains.\n\n0:00 Day; one\n1:05 Night & <two>\\x1b[31m"
    )


def test_subtitles_are_the_captions_at_their_times():
    assert render(Form.SRT) == (
        "1\n00:00:00,000 --> 00:01:05,000\nA dog number 1 <left>.\n\n"
        "2\n00:01:05,000 --> 00:02:10,000\nA dog number 2 <left>.\n"
    )
    assert "00:01:05.000 --> 00:02:10.000\nA dog number 2 &lt;left&gt;." in render(Form.VTT)


def test_csv_has_a_row_for_the_whole_and_one_for_each_chapter():
    rows = list(csv.DictReader(io.StringIO(render(Form.CSV))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [(row["question"], row["start_s"], row["end_s"], row["frames"]) for row in rows] == [
        ("summary", "0.000", "130.000", "2"),
        ("chapter 1", "0.000", "65.000", "1"),
        ("chapter 2", "65.000", "130.000", "1"),
    ]
    assert rows[0]["answer"] == "A dog's day: It leaves. Then it rains."
    assert [row["warnings"] for row in rows] == ["one was trimmed", "", ""]


def test_markdown_says_what_it_rests_on():
    text = render(Form.MD)
    assert text.startswith("## clip.mp4\n\n### A dog's day\n\nIt leaves. Then it rains.\n\n- 0:00 ")
    assert "*speech: 10 words of clip.en.srt (beside the video, en), 1 left out" in text
    assert "> one was trimmed" in text


def test_chapters_alone_in_each_form():
    assert render(ChapterForm.FFMETADATA) == (
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000000\nSTART=0\nEND=65000000\ntitle=Day\\; one\n"
        "[CHAPTER]\nTIMEBASE=1/1000000\nSTART=65000000\nEND=130000000\n"
        "title=Night & <two>\x1b[31m\n"
    )
    assert render(ChapterForm.VTT) == (
        "WEBVTT\n\n00:00:00.000 --> 00:01:05.000\nDay; one\n\n"
        "00:01:05.000 --> 00:02:10.000\nNight &amp; &lt;two&gt;\\x1b[31m\n"
    )
    assert render(ChapterForm.MD).endswith("- 0:00 Day; one\n- 1:05 Night & <two>\\x1b[31m\n")
    assert [form.suffix for form in ChapterForm] == [
        ".ffmetadata",
        ".chapters.vtt",
        ".chapters.md",
    ]


@pytest.mark.parametrize("form", [Form.JSON, Form.JSONL])
def test_json_is_the_document(form: Form):
    assert json.loads(render(form)) == DOCUMENT


def test_a_line_says_what_a_summary_rests_on():
    assert say_summary(make_summary()) == (
        "2 segments (1 of an earlier run), 2 frames, 0:00–2:10, largest unseen gap 2:08; speech: "
        "10 words of clip.en.srt (beside the video, en), 1 left out of the prompts of their "
        "segments, 4 left out where captions were put together"
    )
    theirs = say_summary(make_summary(speech=None, origin=ChapterOrigin.FILE))
    assert theirs.endswith("2:08; chapters are the file's own; no subtitles")


def test_a_silent_video_s_documents_say_null():
    silent = summary_document(make_summary(speech=None))
    jsonschema.validate(silent, load_schema("summary"))
    assert silent["speech"] is None
    plan = summary_plan_document(make_summary_rehearsal(speech=None))
    jsonschema.validate(plan, load_schema("summary-plan"))
    assert plan["speech"] is None


def test_a_rehearsal_says_segments_frames_tokens_and_seconds():
    rows = dict(summary_plan_rows(make_summary_rehearsal()))
    assert rows["segments"] == "12, by shots, 2 of them captioned already"
    assert rows["from"] == "0:00, 0:01, 0:02, 0:03, 0:04, …, 0:10, 0:11"
    assert rows["speech"] == "#2 subrip"
    assert "about 3 steps, 4000 tokens" in rows["put together"]
    assert rows["time"].startswith("at most 1:36: decode 0.5 s, encode 1:30, ")
    assert "reduce 4.0 s" in rows["time"]
