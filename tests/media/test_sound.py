"""The sound of a video is read in stretches, on the clock of its pictures."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.clips import ClipCache
from tests.media import corpus
from tests.talks import make_recording, make_talk
from tests.whisper import silence, tone
from vidcli.core.sound import RATE
from vidcli.errors import MediaError, NoVideoStreamError
from vidcli.media.probe import probe
from vidcli.media.sound import read_sound
from vidcli.media.worker import DecoderWorker

NEAR_S = 0.03  # what codecs smear


def bursts() -> np.ndarray:
    """Ten seconds, silent but for half a second of tone at 2 and at 6 seconds."""
    whole = silence(10)
    for start in (2, 6):
        whole[start * RATE : start * RATE + RATE // 2] = tone(0.5)
    return whole


def read(path: Path, start: float, end: float, *, number: int = 0) -> np.ndarray:
    index = probe(str(path)).audio[number].index
    span = {"start": Fraction(str(start)), "end": Fraction(str(end))}
    return read_sound(str(path), index=index, **span)


def loud(samples: np.ndarray) -> list[tuple[float, float]]:
    """Where it is loud, in seconds from the start of the samples."""
    level = np.convolve(np.abs(samples.astype(float)), np.ones(160) / 160, "same") > 1000
    edges = np.flatnonzero(np.diff(np.concatenate([[0], level.astype(int), [0]])))
    pairs = zip(edges[::2] / RATE, edges[1::2] / RATE, strict=True)
    return [(float(start), float(end)) for start, end in pairs if end - start > 0.1]


def expect(samples: np.ndarray, *spans: tuple[float, float]) -> None:
    found = loud(samples)
    assert len(found) == len(spans), found
    for one, other in zip(found, spans, strict=True):
        assert one == pytest.approx(other, abs=NEAR_S)


@pytest.mark.parametrize(
    ("suffix", "codec", "extra"),
    [
        (".mp4", "aac", {}),
        (".mkv", "libopus", {"ar": 48000}),
        (".mov", "pcm_s16le", {"ac": 2}),
        (".mkv", "flac", {"ar": 8000}),
        (".webm", "libvorbis", {"c:v": "libvpx", "preset": None}),
        (".avi", "libmp3lame", {"c:v": "mpeg4", "preset": None}),
    ],
)
def test_sound_is_where_it_was_recorded(
    clips: ClipCache, suffix: str, codec: str, extra: dict[str, object]
):
    options = {key: value for key, value in extra.items() if value is not None}
    clip = clips.build(
        suffix,
        lambda path: make_talk(path, bursts(), codec=codec, options=options),
        key=f"bursts {suffix} {codec}",
    )
    whole = read(clip, 0, 10)
    assert (whole.dtype, whole.shape) == (np.int16, (10 * RATE,))
    expect(whole, (2, 2.5), (6, 6.5))


@pytest.fixture
def clip(clips: ClipCache) -> Path:
    return clips.build(".mp4", lambda path: make_talk(path, bursts()), key="bursts")


def test_a_stretch_is_the_same_as_that_part_of_the_whole(clip: Path):
    whole = read(clip, 0, 10)
    for start in (1.5, 5.9, 6.25):
        part = read(clip, start, start + 1)
        first = round(start * RATE)
        difference = np.abs(part.astype(int) - whole[first : first + RATE])
        half_a_sample = 0.3 * 32767 * np.sin(2 * np.pi * 440 / RATE / 2)
        assert difference.max() < 1.2 * half_a_sample
        assert len(part) == RATE


def test_stretches_join_without_a_gap(clip: Path):
    parts = np.concatenate([read(clip, start, start + 0.7) for start in np.arange(0, 9.8, 0.7)])
    expect(parts, (2, 2.5), (6, 6.5))


def test_what_is_past_the_end_is_silence(clip: Path):
    late = read(clip, 9, 40)
    assert len(late) == 31 * RATE
    assert loud(late) == []
    assert not read(clip, 100, 101).any()


def test_sound_that_begins_after_the_pictures_is_late_by_as_much(clips: ClipCache):
    clip = clips.build(
        ".mkv", lambda path: make_talk(path, bursts(), delay=3.0), key="bursts, late"
    )
    expect(read(clip, 0, 13), (5, 5.5), (9, 9.5))
    expect(read(clip, 8, 12), (1, 1.5))


def test_a_container_whose_clock_starts_late_reads_from_its_first_picture(clips: ClipCache):
    clip = clips.build(
        ".ts",
        lambda path: make_talk(
            path, bursts(), codec="mp2", options={"output_ts_offset": 100, "ar": 48000}
        ),
        key="bursts, clock at 100",
    )
    expect(read(clip, 0, 10), (2, 2.5), (6, 6.5))


def test_a_gap_in_the_stream_is_silent_and_moves_nothing(clips: ClipCache):
    def make(path: Path) -> Path:
        gap = {"bsf:a": "noise=drop='between(pts*tb,3,5)'", "c:a": "pcm_s16le", "ar": 16000}
        return make_talk(path, bursts(), codec="pcm_s16le", options=gap)

    clip = clips.build(".mkv", make, key="bursts, gap")
    expect(read(clip, 0, 10), (2, 2.5), (6, 6.5))


def test_each_of_several_streams_can_be_read(clips: ClipCache):
    clip = clips.build(
        ".mkv", lambda path: make_talk(path, silence(10), bursts()), key="silence and bursts"
    )
    assert loud(read(clip, 0, 10)) == []
    expect(read(clip, 0, 10, number=1), (2, 2.5), (6, 6.5))


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(clip: Path, tmp_path: Path):
    source = tmp_path / "whole.mkv"
    make_talk(source, bursts())
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    samples = read(cut, 0, 10)
    expect(samples, (2, 2.5))


RECORDINGS = (".mp3", ".m4a", ".wav", ".flac", ".ogg", ".opus", ".aac", ".mka", ".wma", ".aiff")


def recording(clips: ClipCache, suffix: str, **options: object) -> Path:
    return clips.build(
        suffix,
        lambda path: make_recording(path, bursts(), **options),
        key=f"recording {suffix} {options}",
    )


@pytest.mark.parametrize("suffix", RECORDINGS)
def test_sound_without_pictures_is_on_a_clock_of_its_own(clips: ClipCache, suffix: str):
    path = recording(clips, suffix, **({"ar": 48000} if suffix == ".opus" else {}))
    info = probe(str(path), sound_too=True)
    assert info.picture is None
    assert info.duration is not None
    assert float(info.duration) == pytest.approx(10, abs=0.06)
    assert info.warnings == ()
    index = info.audio[0].index
    late = 0.05  # of codecs whose containers do not say what the encoder put before the sound
    for start, end, bursts_at in ((0, 10, (2, 6)), (5, 8, (1,))):
        span = {"start": Fraction(start), "end": Fraction(end)}
        found = loud(read_sound(str(path), index=index, **span))
        assert [at for at, _ in found] == pytest.approx(bursts_at, abs=late)


def test_an_mp3_that_says_nothing_of_its_length_is_measured(clips: ClipCache):
    """FFmpeg guesses from the bit rate of the beginning: here silence, three times too long."""
    path = recording(clips, ".mp3", **{"q:a": 5, "write_xing": 0})
    duration = probe(str(path), sound_too=True).duration
    assert duration is not None
    assert float(duration) == pytest.approx(10, abs=0.06)


def test_sound_with_a_cover_is_heard(clips: ClipCache, tmp_path: Path):
    cover = clips.build(".jpg", corpus.make_cover, key="cover")
    for suffix in (".mp3", ".m4a"):
        covered = corpus.with_cover(recording(clips, suffix), cover, tmp_path / f"covered{suffix}")
        info = probe(str(covered), sound_too=True)
        assert info.picture is None
        index = info.audio[0].index
        samples = read_sound(str(covered), index=index, start=Fraction(5), end=Fraction(8))
        assert [at for at, _ in loud(samples)] == pytest.approx([1], abs=0.05)


def test_a_recording_that_was_cut_off_says_so(clips: ClipCache, tmp_path: Path):
    whole = recording(clips, ".wav").read_bytes()
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole[: len(whole) // 2])
    info = probe(str(cut), sound_too=True)
    assert info.duration is not None
    assert float(info.duration) == pytest.approx(5, abs=0.1)


def test_only_who_asks_for_sound_too_is_given_it(clips: ClipCache):
    path = str(recording(clips, ".mp3"))
    with pytest.raises(NoVideoStreamError) as refused:
        probe(path)
    assert refused.value.hint == f"'vidcli transcribe {path}' writes down what is said in it"
    info = probe(path, sound_too=True)
    with pytest.raises(NoVideoStreamError, match="only sound"):
        _ = info.video


def test_a_stream_that_is_no_sound_is_an_error(clips: ClipCache):
    clip = clips.get(".mp4")
    with pytest.raises(MediaError, match="no sound"):
        read_sound(str(clip), index=0, start=Fraction(0), end=Fraction(1))


@pytest.fixture
def worker() -> Iterator[DecoderWorker]:
    with DecoderWorker() as worker:
        yield worker


def test_the_worker_reads_it_in_its_own_process(clip: Path, worker: DecoderWorker):
    index = probe(str(clip)).audio[0].index
    samples = worker.call("sound", str(clip), index=index, start=Fraction(5), end=Fraction(7))
    expect(samples, (1, 1.5))
