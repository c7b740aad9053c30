"""A span cut out of a video holds the frames of that span and no others."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.clips import ClipCache, read_number
from vidcli.core.time import Span
from vidcli.errors import MediaError, ResourceError
from vidcli.media.cut import cut_span
from vidcli.media.drafts import DRAFT_PREFIX


def numbers(path: Path) -> list[int]:
    with av.open(str(path)) as video:
        return [read_number(frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)]


def span(start: float, end: float) -> Span:
    return Span(Fraction(start).limit_denominator(1000), Fraction(end).limit_denominator(1000))


@pytest.mark.parametrize(("start", "end"), [(0, 0.4), (0.36, 1.2), (1.6, 2.0)])
def test_the_frames_are_those_of_the_span(
    clips: ClipCache, tmp_path: Path, start: float, end: float
):
    """Between keyframes too, and in a file whose pictures begin late."""
    source = clips.get(duration=2.0, gop=50, b_frames=2)
    cut_span(str(source), tmp_path / "out.mp4", span(start, end), overwrite=False)
    assert numbers(tmp_path / "out.mp4") == list(range(round(start * 25), round(end * 25)))


def test_sound_comes_along_and_an_odd_size_is_no_failure(clips: ClipCache, tmp_path: Path):
    source = clips.get(duration=2.0, audio=True, size=(193, 109), pix_fmt="yuv444p")
    cut_span(str(source), tmp_path / "out.mp4", span(0.4, 1.2), overwrite=False)
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert (made.streams.video[0].width, made.streams.video[0].height) == (192, 108)
        assert float(made.streams.audio[0].duration * made.streams.audio[0].time_base) == (
            pytest.approx(0.8, abs=0.1)
        )


def test_a_file_that_is_there_is_kept_unless_told_otherwise(clips: ClipCache, tmp_path: Path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(ResourceError, match="is there already"):
        cut_span(str(clips.get()), target, span(0, 1), overwrite=False)
    assert target.read_bytes() == b"mine"
    cut_span(str(clips.get()), target, span(0, 1), overwrite=True)
    assert len(numbers(target)) == 25
    assert not list(tmp_path.glob(f"{DRAFT_PREFIX}*"))


def test_what_cannot_be_cut_leaves_nothing(tmp_path: Path):
    source = tmp_path / "in.mp4"
    source.write_bytes(b"no video")
    with pytest.raises(MediaError):
        cut_span(str(source), tmp_path / "out.mp4", span(0, 1), overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
