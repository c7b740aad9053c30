"""Text with times comes out in every form, as visible letters only."""

from tests.output.results import make_answer
from tests.output.text_reports import WHOLE, make_screen, make_transcript
from vidcli.output.forms import Form, render_file
from vidcli.output.screen_text import say_screen, screen_document
from vidcli.output.transcripts import say_transcript, transcript_document

HOSTILE = "\x1b[2J--> forged\n\n99\n00:00:00,000 --> 00:09:00,000\nfake"


def written(form: Form, *texts: str) -> str:
    return render_file(screen_document(make_screen(*texts)), form).decode()


def test_a_table_has_times_and_the_lines_below_each_other():
    assert written(Form.TEXT) == "0:00.0  0:01.0  Hello\n                there\n"


def test_subtitles_carry_the_times():
    assert written(Form.SRT) == "1\n00:00:00,000 --> 00:00:01,000\nHello\nthere\n"
    assert written(Form.VTT) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello\nthere\n"


def test_markdown_is_one_entry_a_line():
    assert "- 0:00.0–0:01.0: Hello / there" in written(Form.MD)
    assert "> x" in written(Form.MD)


def test_csv_has_a_row_an_entry_and_the_warnings_once():
    rows = written(Form.CSV, "one", "two").splitlines()
    assert len(rows) == 3
    assert [row.endswith(",x,") for row in rows[1:]] == [True, False]


def test_text_of_a_video_can_neither_move_the_cursor_nor_end_a_cue():
    for form in (Form.TEXT, Form.SRT, Form.VTT, Form.MD, Form.CSV):
        assert "\x1b" not in written(form, HOSTILE), form
    cues = written(Form.SRT, HOSTILE)
    assert "\n\n" not in cues.strip("\n"), "an empty line would end the cue"
    assert cues.count("\n1\n") == 0
    assert "-->" not in written(Form.VTT, HOSTILE).split("\n", 3)[3], "as WebVTT forbids"


def test_nothing_found_is_an_empty_table_and_is_said():
    report = make_screen()
    document = {**screen_document(report), "texts": []}
    assert render_file(document, Form.TEXT) == b"\n"
    assert "0 texts in 2 looks, every 1 s, 1 of them read; 1 short or unsure line" in say_screen(
        document
    )


def test_a_transcript_says_where_its_words_come_from():
    video = make_answer().video
    document = transcript_document(video, make_transcript(), WHOLE, reason="", warnings=[])
    assert say_transcript(document) == "1 segment from sound, heard by base, language en, 80% sure"
    assert render_file(document, Form.TEXT) == b"0:00.0  0:01.0  Hello\n"
    assert b"*base*" in render_file(document, Form.MD)


def test_where_nothing_is_said_there_is_a_reason_and_no_row():
    document = transcript_document(
        make_answer().video, None, WHOLE, reason="it has no audio", warnings=[]
    )
    assert say_transcript(document) == "nothing is said: it has no audio"
    assert render_file(document, Form.SRT) == b""
    assert render_file(document, Form.CSV).count(b"\n") == 1
