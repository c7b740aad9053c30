"""Videos that a model learnt from are found in a set by content, by name and by seed."""

import json
from pathlib import Path

from vidcli.evaluate.leaks import Leaks, find_leaks
from vidcli.models.bundle import digest_video

HISTORY = [
    {"stage": "pretrain", "video_ids": [digest_video("a")], "video_contents": []},
    {"stage": "tune", "data": [{"file": "world:7"}], "video_contents": [digest_video("content-b")]},
]


def test_a_video_is_known_by_its_content_or_by_its_name():
    """11.C: evaluation videos that occur in the training data are found by ids and hashes."""
    videos = {Path("x/a.mkv"): "new", Path("x/z.mp4"): "content-b", Path("x/c.mp4"): "content-c"}
    leaks = find_leaks(HISTORY, videos)
    assert leaks == Leaks(by_content=("z.mp4",), by_name=("a.mkv",))
    content, name = leaks.sentences(3)
    assert content.startswith("1 of 3 videos (z.mp4) is among those the model learnt from")
    assert name.startswith("1 of 3 videos (a.mkv) is called as ones the model learnt from")


def test_what_is_not_in_the_history_is_no_leak():
    assert find_leaks(HISTORY, {Path("c.mp4"): ""}) == Leaks()
    assert find_leaks([], {Path("a.mp4"): "content-b"}).sentences(1) == ()


def test_many_videos_are_counted_and_a_few_named():
    videos = {Path(f"{n}.mp4"): "content-b" for n in range(5)}
    (said,) = find_leaks(HISTORY, videos).sentences(9)
    assert said.startswith("5 of 9 videos (0.mp4, 1.mp4, 2.mp4 and 2 more) are among")


def test_a_drawn_set_is_known_by_its_seed_where_it_shows_training_clips(tmp_path: Path):
    for split, seed, found in (("train", 7, 7), ("train", 8, None), ("eval", 7, None)):
        manifest = {"settings": {"split": split, "seed": seed}}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        assert find_leaks(HISTORY, {}, tmp_path).seed == found
    assert "drawn from seed 7" in Leaks(seed=7).sentences(3)[0]
