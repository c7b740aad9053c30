"""Names of pictures carry their times and never clash."""

import os
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.errors import UsageError
from vidcli.output.pictures import format_of, picture_name


def name(video: str, time: Fraction, taken: set[str] | None = None) -> str:
    return picture_name(video, time, extension=".jpg", taken=set() if taken is None else taken)


def test_a_name_carries_the_time():
    assert name("/a/clip.x.mp4", Fraction(12345, 1000)) == "clip.x_000012.345.jpg"
    assert name("clip", Fraction(36000)) == "clip_036000.000.jpg"


@given(st.lists(st.fractions(0, 10**5), max_size=20))
def test_names_are_distinct_and_sort_as_their_times(times: list[Fraction]):
    taken: set[str] = set()
    names = [name("clip.mp4", time, taken) for time in sorted(times)]
    assert len(set(names)) == len(names) == len(taken)
    heads = [text[:15] for text in names]
    assert heads == sorted(heads)


@pytest.mark.parametrize("stem", ["x" * 250, "é" * 120, os.fsdecode(b"\xff" * 250)])
def test_a_long_name_is_shortened_to_what_a_file_system_takes(stem: str, tmp_path: Path):
    short = name(stem + ".mp4", Fraction(1))
    assert len(os.fsencode(short)) < 255
    assert short.endswith("_000001.000.jpg")
    os.fsencode(short).decode("utf-8", "strict" if stem.isprintable() else "replace")


@pytest.mark.parametrize(
    ("file", "format_name"), [("a.jpg", "jpeg"), ("A.JPEG", "jpeg"), ("a.png", "png")]
)
def test_an_extension_asks_for_a_format(file: str, format_name: str):
    assert format_of(Path(file)) == format_name


@pytest.mark.parametrize("file", ["a", "a.gif", ".jpg"])
def test_an_extension_that_is_none_is_a_usage_error(file: str):
    with pytest.raises(UsageError):
        format_of(Path(file))
