"""Videos are found by name, missing ones told or counted, and split by video, never by row."""

from dataclasses import replace

import pytest

from tests.train.data import shapes
from vidcli.errors import MediaError, UsageError
from vidcli.train.data.files import read_data
from vidcli.train.data.sample import Exchange, Sample
from vidcli.train.data.videos import find_videos, split_videos, video_id


@pytest.fixture
def rows(tmp_path):
    return read_data(shapes.write_json(tmp_path / "x.json", shapes.VIDEOINSTRUCT))


def test_a_name_without_extension_finds_its_file(rows, tmp_path):
    for name in ("v_a.mkv", "v_b.mp4", "v_c.webm"):
        (tmp_path / name).write_bytes(b"")
    found = find_videos(rows, None, skip_missing=False)
    assert [sample.video for sample in found.samples] == [
        str(tmp_path / name) for name in ("v_a.mkv", "v_b.mp4", "v_c.webm")
    ]


def test_a_missing_video_is_named_with_its_row(rows, tmp_path):
    root = tmp_path / "videos"
    root.mkdir()
    (root / "v_a.mp4").write_bytes(b"")
    with pytest.raises(MediaError, match=r"x\.json row 2: there is no video v_b \(and 1 more"):
        find_videos(rows, root, skip_missing=False)
    found = find_videos(rows, root, skip_missing=True)
    assert len(found.samples) == 1
    assert len(found.missing) == 2


def test_all_missing_is_an_error_even_when_skipped(rows, tmp_path):
    with pytest.raises(MediaError, match="none of the 3 videos"):
        find_videos(rows, tmp_path, skip_missing=True)


def make(video: str, question: str = "?") -> Sample:
    return Sample(video, (Exchange(question, "!"),))


def test_a_video_is_in_one_half_whatever_its_row_folder_and_order():
    samples = [make(f"{folder}/{n}.mp4", q) for n in range(50) for q in "ab" for folder in "xy"]
    train, held_out = split_videos(samples, 0.3)
    assert {video_id(s) for s in train}.isdisjoint(video_id(s) for s in held_out)
    assert len(train) + len(held_out) == len(samples)
    assert 0.1 < len(held_out) / len(samples) < 0.5
    again, _ = split_videos(samples[::-1], 0.3)
    assert {s.video for s in again} == {s.video for s in train}
    wider, _ = split_videos([replace(s, video=f"z/{s.video}") for s in samples], 0.3)
    assert {video_id(s) for s in wider} == {video_id(s) for s in train}


def test_more_held_out_keeps_what_was_held_out():
    samples = [make(f"{n}.mp4") for n in range(100)]
    _, few = split_videos(samples, 0.1)
    _, many = split_videos(samples, 0.5)
    assert {s.video for s in few} < {s.video for s in many}


def test_of_several_videos_one_at_least_is_held_out():
    samples = [make(f"{n}.mp4", q) for n in range(3) for q in "ab"]
    train, held_out = split_videos(samples, 1e-9)
    assert (len(train), len(held_out)) == (4, 2)


def test_an_empty_half_is_refused():
    with pytest.raises(UsageError, match="leaves no video to hold out"):
        split_videos([make("a.mp4")], 0.0001)
