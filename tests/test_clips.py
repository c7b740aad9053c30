import av

from tests.clips import ClipCache, numbered_frame, read_number


def test_every_number_is_read_back_from_its_own_frame():
    for number in (0, 1, 2, 1023, 2048, 4095):
        assert read_number(numbered_frame(number, (96, 54))) == number


def test_a_clip_shows_its_numbers_after_encoding(clips: ClipCache):
    with av.open(str(clips.get(duration=1, b_frames=2))) as container:
        shown = [read_number(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert shown == list(range(25))


def test_a_clip_is_made_once(clips: ClipCache):
    assert clips.get(duration=1, b_frames=2) is clips.get(duration=1, b_frames=2)


def test_a_clip_can_have_sound(clips: ClipCache):
    with av.open(str(clips.get(".mkv", duration=1, audio=True))) as container:
        assert len(container.streams.audio) == 1
