"""A2.7: every shape of training data is read, and a bad row is told by file, row and reason."""

import json
from fractions import Fraction

import pytest

from tests.train.data import shapes
from vidcli.core.time import Span
from vidcli.errors import UsageError
from vidcli.methods.ask import CAPTION_QUESTION
from vidcli.train.data.files import read_data
from vidcli.train.data.sample import Event, Exchange

ROWS = {
    "llava.json": (shapes.write_json, shapes.LLAVA),
    "messages.json": (shapes.write_json, shapes.MESSAGES),
    "messages.jsonl": (shapes.write_jsonl, shapes.MESSAGES),
    "videochat2.json": (shapes.write_json, shapes.VIDEOCHAT2),
    "videoinstruct.json": (shapes.write_json, shapes.VIDEOINSTRUCT),
    "captions.jsonl": (shapes.write_jsonl, shapes.CAPTIONS),
    "webvid.csv": (shapes.write_csv, shapes.WEBVID),
    "narrations.jsonl": (shapes.write_jsonl, shapes.NARRATIONS),
    "dense.json": (shapes.write_json, shapes.DENSE),
}


@pytest.mark.parametrize("name", ROWS)
def test_a2_7_every_shape_is_read_row_by_row(name, tmp_path):
    """A2.7: three rows of every shape are read."""
    write, rows = ROWS[name]
    samples = read_data(write(tmp_path / name, rows))
    assert len(samples) == 3
    assert len({sample.origin for sample in samples}) == 3
    assert all(name in sample.origin for sample in samples)


def test_llava_turns_pair_up_and_the_marker_goes(tmp_path):
    first, second, third = read_data(shapes.write_json(tmp_path / "x.json", shapes.LLAVA))
    assert first.exchanges == (Exchange("What is it?", "A ball."), Exchange("Its colour?", "Red."))
    assert (second.video, second.exchanges[0].question) == ("b.png", "What is it?")
    assert (third.system, third.exchanges) == ("Be brief.", (Exchange("Which way?", "Left."),))


def test_videochat2_keeps_its_instruction_and_its_span(tmp_path):
    first, second, third = read_data(shapes.write_json(tmp_path / "x.json", shapes.VIDEOCHAT2))
    assert first.exchanges[0].question == "What?"
    assert second.exchanges[0].question == "Describe it."
    assert [e.question for e in third.exchanges] == ["Answer.\nWho?", "Why?"]
    assert third.span == Span(Fraction(3, 2), Fraction(3))


def test_captions_become_the_question_that_caption_asks(tmp_path):
    first, second, _ = read_data(shapes.write_jsonl(tmp_path / "x.jsonl", shapes.CAPTIONS))
    assert first.exchanges == (Exchange(CAPTION_QUESTION, "A ball rolls."),)
    assert second.exchanges[0].answer == "A dog runs."
    (webvid, *_) = read_data(shapes.write_csv(tmp_path / "x.csv", shapes.WEBVID))
    assert webvid.video == "100_150/1066674784"


def test_narrations_keep_every_candidate_best_first(tmp_path):
    sample, *_ = read_data(shapes.write_jsonl(tmp_path / "x.jsonl", shapes.NARRATIONS))
    assert (sample.exchanges[0].answer, sample.exchanges[0].others) == ("walks", ("runs",))


def test_dense_captions_are_put_in_order(tmp_path):
    sample, *_ = read_data(shapes.write_json(tmp_path / "x.json", shapes.DENSE))
    assert [event.text for event in sample.events] == ["It begins.", "It ends."]
    assert sample.duration == 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talk.srt", shapes.SRT),
        ("talk.en.srt", shapes.SRT.replace("\n", "\r\n")),
        ("talk.vtt", shapes.VTT),
        ("talk.json", json.dumps(shapes.SPEECH)),
    ],
)
def test_speech_is_read_from_subtitles_and_columns(name, text, tmp_path):
    (tmp_path / name).write_bytes(text.encode())
    (sample,) = read_data(tmp_path / name)
    assert (sample.video, sample.is_speech, len(sample.events)) == ("talk", True, 3)
    if name != "talk.json":
        assert sample.events[0] == Event(Fraction(1), Fraction(5, 2), "Hello there")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "it is no JSON"),
        ("[1]", "an object was expected, not a list"),
        ('{"video": "a.mp4"}', "are of no known shape"),
        ('{"video": "a.mp4", "caption": 3.5}', "'caption' is a number, not text"),
        ('{"video": "a.mp4", "caption": " "}', "'caption' is empty"),
        ('{"caption": "x"}', "'video' is missing"),
        ('{"video": "a.mp4", "caption": "x", "start": 3, "end": 2}', "not after its start"),
        ('{"video": "a.mp4", "caption": "x", "start": 3}', "one is missing"),
        ('{"video": "a.mp4", "caption": "x", "start": NaN, "end": 2}', "not a time"),
        ('{"video": "a", "texts": ["x"], "scores": []}', "not of one length"),
        ('{"video": "a", "conversations": [{"from": "gpt", "value": "x"}]}', "out of turn"),
        ('{"video": "a", "conversations": [{"from": "me", "value": "x"}]}', "unknown role 'me'"),
        ('{"video": "a", "conversations": [{"from": "human", "value": "x"}]}', "has no answer"),
        ('{"messages": [{"role": "user", "content": "x"}], "videos": ["a", "b"]}', "2 videos"),
    ],
)
def test_a2_7_a_bad_row_names_file_row_and_reason(row, reason, tmp_path):
    """A2.7: a bad row is told with its file, row and reason."""
    file = tmp_path / "x.jsonl"
    file.write_text(f'{{"video": "a.mp4", "caption": "fine"}}\n\n{row}\n', "utf-8")
    with pytest.raises(UsageError) as caught:
        read_data(file)
    assert f"{file} row 3: " in str(caught.value)
    assert reason in str(caught.value)


def test_many_bad_rows_are_counted(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text("{\n{\n{\n", "utf-8")
    with pytest.raises(UsageError, match=r"row 1: it is no JSON.*\(and 2 more\)"):
        read_data(file)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.txt", b"hello", "of a kind that is not read"),
        ("x.json", b"\xff", "not UTF-8"),
        ("x.json", b"{", "no JSON"),
        ("x.jsonl", b"", "holds no rows"),
        ("x.srt", b"hello", "no subtitles"),
        ("x.srt", b"1\n0:1 --> what\nhi\n", "no times that can be read"),
        ("x.yaml", b"a: [", "no YAML"),
        ("x.yaml", b"- {}", "entry 1: 'json_path' is missing"),
        ("x.yaml", b"- {json_path: x.yaml}", "x.yaml is a mixture that leads back to itself"),
        ("x.yaml", b"- {json_path: .}", "x.yaml is a mixture that leads back to itself"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name, content, reason, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        read_data(tmp_path / name)


@pytest.mark.parametrize(
    ("strategy", "n"), [("all", 10), ("first:3", 3), ("end:20%", 2), ("random:50%", 5)]
)
def test_a_mixture_takes_what_it_says(strategy, n, tmp_path):
    rows = [{"video": f"{i}.mp4", "caption": f"{i}"} for i in range(10)]
    shapes.write_jsonl(tmp_path / "x.jsonl", rows)
    shapes.write_json(tmp_path / "y.json", shapes.VIDEOINSTRUCT)
    (tmp_path / "mix.yaml").write_text(
        f"datasets:\n- json_path: x.jsonl\n  sampling_strategy: {strategy}\n- json_path: y.json\n"
    )
    samples = read_data(tmp_path / "mix.yaml", seed=3)
    assert len(samples) == n + 3
    assert samples == read_data(tmp_path / "mix.yaml", seed=3)
    chosen = [int(sample.video[0]) for sample in samples[:n]]
    assert chosen == sorted(chosen)
    assert strategy != "end:20%" or chosen == [8, 9]


def test_a_mixture_refuses_an_unknown_strategy(tmp_path):
    shapes.write_jsonl(tmp_path / "x.jsonl", shapes.CAPTIONS)
    (tmp_path / "mix.yaml").write_text("- {json_path: x.jsonl, sampling_strategy: some}\n")
    with pytest.raises(UsageError, match="entry 1: no sampling strategy 'some'"):
        read_data(tmp_path / "mix.yaml")


def test_a_folder_is_read_file_by_file(tmp_path):
    (tmp_path / "a.srt").write_text(shapes.SRT)
    (tmp_path / "b.vtt").write_text(shapes.VTT)
    (tmp_path / "b.mp4").write_bytes(b"")
    assert [sample.video for sample in read_data(tmp_path)] == ["a", "b"]


def test_mixtures_that_name_each_other_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("- {json_path: b.yaml}\n")
    (tmp_path / "b.yaml").write_text("- {json_path: a.yaml}\n")
    with pytest.raises(UsageError, match=r"a\.yaml is a mixture that leads back to itself"):
        read_data(tmp_path / "a.yaml")


def test_a_mixture_may_be_named_twice(tmp_path):
    shapes.write_json(tmp_path / "x.json", shapes.VIDEOINSTRUCT)
    (tmp_path / "inner.yaml").write_text("- {json_path: x.json}\n")
    (tmp_path / "outer.yaml").write_text("- {json_path: inner.yaml}\n- {json_path: inner.yaml}\n")
    assert len(read_data(tmp_path / "outer.yaml")) == 6
