"""Rows find their video however a data set names it."""

import json
from pathlib import Path

import pytest

from vidcli.cli.labels import LabelFiles
from vidcli.errors import UsageError


def files(tmp_path: Path, *names: str) -> LabelFiles:
    path = tmp_path / "captions.jsonl"
    rows = ({"video": name, "caption": f"of {name}"} for name in names)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return LabelFiles([path])


def found(labels: LabelFiles, path: str) -> list[str]:
    return [row.video for row in labels.of(path)]


@pytest.mark.parametrize(
    "name", ["dog.mp4", "dog", "b/dog.mp4", "b/dog", "./b/dog.mp4", "../b/dog.mp4", "/a/b/dog.mp4"]
)
def test_a_name_is_the_end_of_the_path_with_or_without_an_extension(name: str, tmp_path: Path):
    assert found(files(tmp_path, name), "/a/b/dog.mp4") == [name]


@pytest.mark.parametrize("name", ["og.mp4", "dog.mkv", "c/dog.mp4", "dog.mp", "b", "hotdog"])
def test_what_only_looks_like_it_is_another_video(name: str, tmp_path: Path):
    labels = files(tmp_path, name)
    assert found(labels, "/a/b/dog.mp4") == []
    assert labels.left_over == [name]


def test_names_with_dots_are_found(tmp_path: Path):
    labels = files(tmp_path, "v1.2", "v1.3.mp4")
    assert found(labels, "v1.2.mp4") == ["v1.2"]
    assert found(labels, "v1.3.mp4") == ["v1.3.mp4"]
    assert labels.left_over == []


def test_what_caption_prints_is_read(tmp_path: Path):
    path = tmp_path / "captions.jsonl"
    document = {"schema": {"name": "caption"}, "video": {"path": "b/dog.mp4"}, "caption": "A dog."}
    path.write_text(json.dumps(document) + "\n")
    (row,) = LabelFiles([path]).of("/a/b/dog.mp4")
    assert row.exchanges[0].answer == "A dog."


def test_subtitles_are_about_the_one_video_whatever_they_are_called(tmp_path: Path):
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello.\n")
    assert len(LabelFiles([path], only="dog.mp4").of("dog.mp4")) == 1
    assert LabelFiles([path]).of("dog.mp4") == []
    assert len(LabelFiles([path]).of("words.mp4")) == 1


def test_a_file_that_is_missing_or_wrong_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"none\.json"):
        LabelFiles([tmp_path / "none.json"])
    (tmp_path / "bad.jsonl").write_text('{"video": "a", "caption": ""}\n')
    with pytest.raises(UsageError, match=r"bad\.jsonl row 1"):
        LabelFiles([tmp_path / "bad.jsonl"])
