"""Which FFmpeg decodes: its libraries wherever they can, else the first program that can."""

import stat
from pathlib import Path

import pytest

from tests.clips import ClipCache
from vidcli.errors import MediaError
from vidcli.media.pictures import open_pictures
from vidcli.media.probe import probe


@pytest.fixture
def animation(clips: ClipCache) -> Path:
    return clips.get(".webp", codec="libwebp_anim", pix_fmt="yuva420p", options={"lossless": 1})


def test_the_libraries_decode_what_they_can(clips: ClipCache, monkeypatch):
    monkeypatch.setattr("vidcli.media.pictures.programs", lambda: pytest.fail("not needed"))
    with open_pictures(str(clips.get(duration=1))) as pictures:
        assert not pictures.piped


def test_the_program_decodes_what_the_libraries_cannot(animation):
    with open_pictures(str(animation)) as pictures:
        assert pictures.piped
        assert pictures.codec == "webp"


def test_a_program_that_cannot_gives_way_to_one_that_can(animation, tmp_path, monkeypatch):
    useless = tmp_path / "ffmpeg"
    useless.write_text("#!/bin/sh\necho 'image data not found' >&2\nexit 69\n")
    useless.chmod(useless.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe(str(animation)).duration == 2


def test_a_file_that_nothing_decodes_is_told(clips: ClipCache, tmp_path):
    data = bytearray(clips.get(duration=1).read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    (tmp_path / "hollow.mp4").write_bytes(data)
    with pytest.raises(MediaError, match=r"no picture of .*hollow\.mp4 can be decoded"):
        probe(str(tmp_path / "hollow.mp4"))
