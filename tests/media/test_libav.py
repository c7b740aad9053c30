"""FFmpeg's errors, rationals and log lines arrive as ours."""

import logging
from fractions import Fraction

import av
import av.error
import pytest

from tests.clips import ClipCache
from tests.media import corpus
from vidcli.errors import MediaError
from vidcli.media.libav import MEANINGS, PacketReader, meaning_of, to_fraction, translated


def test_every_error_class_of_pyav_has_a_meaning_of_its_own():
    classes = {
        value
        for value in vars(av.error).values()
        if isinstance(value, type) and issubclass(value, av.error.FFmpegError)
    }
    assert classes == set(MEANINGS)


def test_the_most_specific_meaning_wins():
    code = -1094995529
    assert "damaged" in meaning_of(av.error.InvalidDataError(code, "Invalid data"))
    assert "FFmpeg fail" in meaning_of(av.error.FFmpegError(code, "Invalid data"))


def test_an_error_becomes_one_line_about_the_file(tmp_path):
    with pytest.raises(MediaError) as caught, translated("a.mp4"):
        av.open(str(tmp_path / "none.mp4"))
    assert str(caught.value) == "a.mp4 does not exist"
    assert isinstance(caught.value.__cause__, av.error.FileNotFoundError)


def test_ffmpegs_own_words_are_quoted_and_never_those_about_an_earlier_file(tmp_path):
    broken = tmp_path / "a.mkv"
    broken.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(500))
    with (
        pytest.raises(MediaError, match=r"\(FFmpeg: EBML header parsing failed\)"),
        translated("a"),
    ):
        av.open(str(broken))
    with pytest.raises(MediaError) as caught, translated("b"):
        raise av.error.InvalidDataError(-1094995529, "Invalid data")
    assert str(caught.value) == "b is damaged, or is no video"


def test_running_out_of_memory_is_told_as_that():
    with pytest.raises(MediaError, match="needs more memory"), translated("a.mp4"):
        raise MemoryError


def test_what_is_not_ffmpegs_is_let_through():
    with pytest.raises(ZeroDivisionError), translated("a.mp4"):
        _ = 1 / 0


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(Fraction(25), Fraction(25)), (Fraction(0), None), (Fraction(-1), None), (None, None)],
)
def test_only_positive_rationals_count(value, wanted):
    assert to_fraction(value) == wanted


def test_log_lines_reach_logging_and_never_the_terminal(clips: ClipCache, tmp_path, caplog, capfd):
    hurt = corpus.damage_middle(clips.get(duration=4, gop=10), tmp_path / "a.mp4", length=3000)
    with caplog.at_level(logging.WARNING, "libav"), av.open(str(hurt)) as container:
        reader = PacketReader(container, container.streams.video[0])
        assert len(list(reader.frames())) > 50
    assert reader.damaged > 0
    assert any(record.name.startswith("libav") for record in caplog.records)
    assert capfd.readouterr() == ("", "")
