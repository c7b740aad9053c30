"""Pages as text: what is on them, what cannot be injected, how large they get."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.output.moment_reports import make_found, make_things, make_track
from tests.output.reports import HOSTILE, make_page
from tests.output.results import make_answer, make_summary
from vidcli.core.results import Evidence
from vidcli.core.time import Span
from vidcli.output.classification import classification_document
from vidcli.output.documents import answer_document, caption_document, check_document
from vidcli.output.moments import moments_document
from vidcli.output.report.adapters import page_of
from vidcli.output.report.address import address_of
from vidcli.output.report.drawing import choose_ticks, curve_points, height_of, place
from vidcli.output.report.found import BETWEEN, BOARD, OF_A_PART, choose_found, spread
from vidcli.output.report.index import find_entries, make_index, read_entry
from vidcli.output.report.page import Call, Clue, Curve, Mark, Option, Still, Track, TrackKind
from vidcli.output.report.render import LETTER, fit_text, lay_out, render_page, write_cues
from vidcli.output.summaries import summary_document


def text_of(**changes: object) -> str:
    return render_page(make_page(**changes)).decode("utf-8")


# From documents


def test_an_answer_is_its_question_its_text_its_options_and_its_evidence():
    cited = Evidence(Span(1, 2), make_answer().frames[:1], "it barks")
    page = page_of(answer_document(make_answer(evidence=(cited,))), command="ask")
    assert (page.title, page.answer, page.command) == ("What happens?", "A dog leaves.", "ask")
    assert page.clues == (Clue(1.0, 2.0, "it barks", "frame 1"),)
    assert page.options == (Option("yes", 0.75), Option("no", 0.25))
    assert [still.time_s for still in page.stills] == [0.5, 1.5]
    assert page.warnings == ("one was trimmed",)
    facts = {fact.name: fact.value for fact in page.facts}
    assert facts["Model"] == "m Q8_0 on CPU"
    assert facts["Seen"] == "2 frames from 0:00.0 to 0:02.0, largest unseen gap 1.0 s"


def test_without_citations_the_evidence_is_all_frames_together():
    (clue,) = page_of(answer_document(make_answer()), command="ask").clues
    assert clue.text == "The answer rests on all 2 frames together."


def test_citations_that_were_dropped_are_a_warning():
    page = page_of(answer_document(make_answer(citations_dropped=2)), command="ask")
    assert "2 citations of frames that do not exist: left out" in page.warnings


def test_json_is_shown_as_code_and_prose_is_not():
    page = page_of(answer_document(make_answer(text='{"a": [1]}')), command="ask")
    assert page.is_code
    assert page.answer == '{\n  "a": [\n    1\n  ]\n}'
    assert not page_of(answer_document(make_answer(text="[sic] a dog")), command="ask").is_code


def test_a_caption_is_titled_by_its_file():
    page = page_of(caption_document(make_answer()), command="caption")
    assert (page.title, page.answer) == ("clip.mp4", "A dog leaves.")


@pytest.mark.parametrize(("probability", "answer"), [(0.9, "Yes"), (0.1, "No")])
def test_a_check_says_yes_or_no(probability: float, answer: str):
    document = check_document(make_answer(), probability=probability, threshold=0.5)
    page = page_of(document, command="check")
    assert page.answer == answer
    assert page.options[0] == Option("yes", probability)


def test_a_summary_has_chapters_and_captions_on_the_timeline():
    page = page_of(summary_document(make_summary()), command="summarize")
    assert (page.title, page.answer) == ("A dog's day", "It leaves. Then it rains.")
    kinds = [track.kind for track in page.tracks]
    assert kinds == [TrackKind.CHAPTERS, TrackKind.EVENTS, TrackKind.FRAMES]
    assert [mark.start_s for mark in page.tracks[0].marks] == [0, 65]
    assert page.stills[0].text == "A dog\nnumber 1 <left>."


def test_labels_come_likeliest_first():
    page = page_of(classification_document(make_answer(), multi=False), command="classify")
    assert (page.answer, page.options[0]) == ("yes", Option("yes", 0.75))


def test_what_is_found_by_its_score_has_a_curve_and_its_moments():
    document = moments_document(make_found(), window_s=1.0, step_s=1.0) | {"query": "a dog"}
    page = page_of(document, command="find")
    assert (page.title, page.answer, page.clues_name) == ("a dog", "Seen 2 times.", "Moments")
    assert page.curve is not None
    assert (page.curve.times_s, page.curve.scores) == ((0.5, 1.5, 2.5), (0.75, 0.1, 0.9))
    assert page.clues == (
        Clue(0.0, 1.0, "Moment 1", "0.750"),
        Clue(2.0, 3.0, "Moment 2", "0.900"),
    )
    assert [(still.time_s, still.note) for still in page.stills] == [(0.5, "moment 1"), (1.5, "")]
    assert page_of(document | {"moments": []}, command="find").answer == "Not found."


def test_things_that_were_followed_are_rows_lines_and_boxes():
    """Of each moment the frame is shown in which the detector was surest of most."""
    one, two = make_track((0.2, 0.0, 0.9), (0.4, 0.5, 0.6)), make_track((0.4, 0.0, 0.7))
    found = replace(make_found(), things=make_things([one, two], []))
    page = page_of(moments_document(found, window_s=1.0, step_s=1.0), command="find")
    assert [(clue.text, clue.note) for clue in page.clues] == [
        ("Moment 1", "0.750"),
        ("cat: left to middle", "0.750"),
        ("cat: left", "0.700"),
        ("Moment 2", "0.900"),
    ]
    moments, cats = page.tracks[:2]
    assert (moments.kind, cats.kind, cats.name) == (TrackKind.MOMENTS, TrackKind.THINGS, "cat")
    assert cats.marks == (Mark(0.2, 0.401),)  # both at once are one stretch
    (shown,) = [still for still in page.stills if still.boxes]
    assert (shown.time_s, shown.note) == (0.4, "moment 1")
    assert [(label, box.x) for label, box in shown.boxes] == [("cat", 0.5), ("cat", 0.0)]
    assert "1 frame with boxes" in page.stills_note


def test_a_storyboard_of_moments_shows_each_and_not_every_frame():
    stills = [Still(n / 4, "windows") for n in range(400)]
    found = [
        {"number": 2, "start_s": 10.0, "end_s": 12.0},
        {"number": 1, "start_s": 50.0, "end_s": 50.3},
    ]
    kept, note = choose_found(stills, found, name="moment")
    assert len(kept) == BOARD
    assert list(kept) == sorted(kept, key=lambda still: still.time_s)
    notes = Counter(still.note for still in kept)
    assert notes == {"moment 2": OF_A_PART, "moment 1": 2, "": BOARD - OF_A_PART - 2}
    assert note == "24 of 400 frames are shown, some of every moment."
    many = [{"number": n, "start_s": n, "end_s": n + 0.5} for n in range(1, 61)]
    kept, _ = choose_found(stills, many, name="moment")
    assert {still.note for still in kept} >= {f"moment {n}" for n in range(1, 61)}
    assert len(kept) == 60 + BETWEEN


@given(st.integers(0, 60), st.integers(1, 30))
def test_what_is_spread_keeps_its_order_its_ends_and_nothing_twice(n: int, most: int):
    kept = spread(range(n), most)
    assert kept == sorted(set(kept))
    assert len(kept) == min(n, most)
    if min(n, most) > 1:
        assert (kept[0], kept[-1]) == (0, n - 1)


@given(st.text(max_size=80), st.integers(0, 400))
def test_a_mark_holds_as_many_letters_as_fit(text: str, width: int):
    shown = fit_text(text, width)
    assert len(shown) * LETTER <= width
    assert shown == " ".join(text.split()) or shown == "" or shown.endswith("…")


def test_events_are_a_row_of_the_timeline_and_speech_another():
    event = {"start_s": 0.5, "end_s": 1.5, "text": "A dog leaves."}
    document = caption_document(make_answer()) | {
        "schema": {"name": "dense", "version": 1},
        "events": [event],
        "speech": {"events": [event | {"text": "Bye!"}]},
    }
    page = page_of(document, command="dense")
    assert [(track.kind, track.marks[0].text) for track in page.tracks[:2]] == [
        (TrackKind.EVENTS, "A dog leaves."),
        (TrackKind.SPEECH, "Bye!"),
    ]
    assert TrackKind.SPEECH not in {
        track.kind for track in page_of(document | {"speech": None}, command="dense").tracks
    }


def test_captions_that_an_answer_was_read_from_are_on_the_timeline():
    document = answer_document(make_answer())
    document["route"] = {"captions": [{"start_s": 0.0, "end_s": 1.0, "text": "A dog."}]}
    assert page_of(document, command="ask").tracks[0].marks == (Mark(0.0, 1.0, "A dog."),)


def test_an_agent_s_calls_and_steps_are_all_there():
    step = {"number": 1, "start_s": 0.0, "end_s": 1.0, "text": "Sit."}
    found = {"number": 1, "kind": "seen", "text": "a dog", "start_s": 0.0, "end_s": 1.0}
    call = {"id": "c1", "tool": "look", "arguments": {"at": 1}, "wall_s": 0.5, "frames_new": [0.5]}
    failed = {"observations": [], "error": "no such tool", "repeats": None}
    document = answer_document(make_answer()) | {
        "schema": {"name": "agent", "version": 1},
        "steps": [step],
        "evidence": [step | {"quote": "Sit.", "frames": [1], "calls": ["c1"]}],
        "calls": [call | {"observations": [found], "error": None, "repeats": None}, call | failed],
        "planner": {"name": "p", "quant": "Q4"},
        "confidence": 2,
        "rounds": 1,
        "stopped": "rounds",
    }
    page = page_of(document, command="agent")
    assert page.tracks[0].marks == (Mark(0.0, 1.0, "Sit."),)
    assert (page.answer, page.clues_name) == ("1 step.", "Steps")
    assert page.clues == (Clue(0.0, 1.0, "Sit.", "c1"),)
    assert page.calls[0] == Call("c1", "look", '{"at": 1}', "1. a dog", 0.5, (0.5,))
    assert page.calls[1].observation == "failed: no such tool"


def test_a_kind_of_document_that_has_no_adapter_shows_what_all_have_in_common():
    document = caption_document(make_answer())
    document["schema"] = {"name": "of-the-future", "version": 1}
    page = page_of(document, command="future")
    assert (page.title, len(page.stills), page.end_s) == ("clip.mp4", 2, 2.0)
    assert b"clip.mp4" in render_page(page)


# Drawing


def test_times_lie_where_they_are_and_never_outside():
    page = make_page(start_s=2.0, end_s=6.0)
    assert [place(page, time) for time in (2, 3, 6, 0, 99)] == [0, 25, 100, 0, 100]


@pytest.mark.parametrize("length", [0.04, 1, 7, 10, 61, 600, 3599, 36_000, 400_000])
def test_the_axis_has_a_few_round_times(length: float):
    ticks = choose_ticks(make_page(start_s=0.0, end_s=length))
    assert 1 <= len(ticks) <= 7
    assert len({label for _, label in ticks}) == len(ticks)


def test_marks_outside_the_span_are_not_drawn():
    track = Track(TrackKind.SPEECH, "Speech", (Mark(0, 1, "a"), Mark(3, 5, "b"), Mark(8, 9, "c")))
    rows = lay_out(make_page(start_s=2.0, end_s=4.0), (track,))
    (placed,) = rows.tracks[0].marks
    assert (placed.text, placed.at, placed.width) == ("b", 50, 50)


def test_a_curve_rises_where_the_score_does():
    page, curve = make_page(), Curve("c", (0.0, 5.0, 10.0), (0.0, 0.25, 1.0))
    assert curve_points(page, curve) == "0.00,100.0 500.00,75.0 1000.00,0.0"
    wide = Curve("c", (0.0, 1.0), (-3.0, 5.0), 1.0)
    assert 0 < height_of(wide, 5.0) < height_of(wide, 1.0) < height_of(wide, -3.0) < 100


def test_a_curve_without_a_score_for_each_time_is_refused():
    with pytest.raises(ValueError, match="one score for each time"):
        make_page(curve=Curve("c", (0.0, 1.0), (0.5,)))


def test_a_timeline_needs_a_length():
    with pytest.raises(ValueError, match="has no length"):
        make_page(start_s=2.0, end_s=2.0)


# What cannot get in


def test_text_of_a_video_stays_text_wherever_it_stands():
    marks = (Mark(0, 5, HOSTILE),)
    html = text_of(
        title=HOSTILE,
        answer=HOSTILE,
        video=HOSTILE,
        command="ask",
        address="x%22.mp4",
        options=(Option(HOSTILE, 1.0),),
        clues=(Clue(0, 1, HOSTILE, HOSTILE),),
        warnings=(HOSTILE,),
        stills=(Still(1, HOSTILE, text=HOSTILE),),
        tracks=tuple(Track(kind, HOSTILE, marks, HOSTILE, '"><b>') for kind in TrackKind),
        curve=Curve(HOSTILE, (0.0,), (0.5,), 0.5),
    )
    assert "<img src=x" not in html
    assert "{{ 7*7 }}" in html  # not 49
    assert html.count("<script>") == html.count("</script>") == 1
    assert html.count("<style>") == html.count("</style>") == 1


def test_letters_that_cannot_be_seen_are_shown_as_escapes_and_bytes_that_are_no_text_too():
    html = text_of(answer="a\x1b[31m\u202eb\udcffc\x00 नि\u200dक\nd")
    assert "a\\x1b[31m\\u202eb\\xffc\\x00 नि\u200dक\nd" in html


def test_nothing_on_a_page_names_a_place_in_the_network():
    html = text_of()
    assert not re.findall(r"https?://[^\s\"'<]+", html)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]


# Where the video is


@pytest.mark.parametrize(
    ("video", "address"),
    [
        ("v/clip.mp4", "clip.mp4"),
        ("clip.mp4", "../clip.mp4"),
        ("v/w/a b.mp4", "w/a%20b.mp4"),
        ("v/100%25?#.mp4", "100%2525%3F%23.mp4"),
        ("v/new\nline'\".mp4", "new%0Aline%27%22.mp4"),
        ("v/javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("v/a\udcff.mp4", "a%FF.mp4"),
    ],
)
def test_the_address_is_relative_and_any_name_survives(video: str, address: str):
    assert address_of(f"/x/{video}", Path("/x/v/report.html")) == address


# Captions


def test_cues_are_escaped_and_hold_no_empty_line():
    track = Track(TrackKind.SPEECH, "S", (Mark(0, 1.5, "a\n\n<b> --> &"), Mark(2, 2, "instant")))
    expected = "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\na\n&lt;b&gt; --&gt; &amp;\n"
    assert write_cues(track) == expected


# An index


def test_a_page_is_known_again_by_its_head_and_nothing_else_is(tmp_path: Path):
    ours, theirs = tmp_path / "ours.html", tmp_path / "theirs.html"
    ours.write_bytes(render_page(make_page(title=HOSTILE, address="a%20b.mp4")))
    theirs.write_text("<!doctype html><title>vidcli</title>")
    entry = read_entry(ours)
    assert entry is not None
    assert (entry.title, entry.source, entry.length) == (HOSTILE, "a%20b.mp4", "0:10")
    assert read_entry(theirs) is None


def test_an_index_lists_every_page_below_a_folder(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    page = make_page(stills=(Still(1, image=b"RIFF", size=(4, 3)),))
    (tmp_path / "sub" / "b #1.html").write_bytes(render_page(replace(page, title="B")))
    (tmp_path / "a.html").write_bytes(render_page(replace(page, title=HOSTILE)))
    (tmp_path / "note.html").write_text("mine")
    (tmp_path / "index.html").write_bytes(make_index(tmp_path))
    html = make_index(tmp_path).decode()
    assert [entry.address for entry in find_entries(tmp_path)] == ["a.html", "sub/b%20%231.html"]
    assert "2 video reports" in html
    assert 'href="sub/b%20%231.html"' in html
    assert "<img src=x" not in html


# Size


def test_a_page_without_pictures_is_small_and_the_same_every_time():
    first = render_page(make_page())
    assert first == render_page(make_page())
    assert len(first) < 64_000
