"""Frames are upright, in square pixels, in sRGB, whatever the file stores."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import ffmpeg
import numpy as np
import pytest

from tests.clips import ClipCache, make_clip, numbered_frame, read_number, run_ffmpeg
from tests.media.picking import decode, plan_of
from vidcli.media.decode import decode_plan
from vidcli.media.pixels import to_picture
from vidcli.media.probe import probe
from vidcli.media.tonemap import HLG, tone_map

COLORS = ((200, 30, 40), (20, 180, 60), (128, 128, 128), (10, 20, 240), (255, 255, 255))


def draw_colors(_: int, size: tuple[int, int]) -> np.ndarray:
    """Five vertical bars of `COLORS`."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for place, color in enumerate(COLORS):
        image[:, place * size[0] // 5 : (place + 1) * size[0] // 5] = color
    return image


def bars_of(image: np.ndarray) -> list[list[int]]:
    height, width = image.shape[:2]
    return [image[height // 2, (2 * n + 1) * width // 10].astype(int).tolist() for n in range(5)]


def are_close(seen: list[list[int]], wanted: object, *, within: int) -> bool:
    return bool(np.abs(np.array(seen) - np.array(wanted)).max() <= within)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("levels", ["tv", "pc"])
def test_colours_are_right_in_every_matrix_and_range(clips: ClipCache, matrix, levels):
    to = {"bt709": "bt709", "smpte170m": "bt601", "bt2020nc": "bt2020"}[matrix]
    filters = (
        f"scale=out_color_matrix={to}:out_range={levels},format=yuv444p,"
        f"setparams=colorspace={matrix}:range={levels}"
    )
    clip = clips.get(
        ".mkv", duration=0.04, size=(160, 90), draw=draw_colors, filters=filters, pix_fmt="yuv444p"
    )
    (frame,) = decode(clip, [0], size=(80, 44))
    assert are_close(bars_of(frame.image), COLORS, within=5)


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "bt709"), ((160, 90), "bt601")])
def test_untagged_video_has_the_matrix_of_its_size(clips: ClipCache, size, matrix):
    filters = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
    filters += ",setparams=colorspace=unknown:range=unknown"
    clip = clips.get(
        ".mkv", duration=0.04, size=size, draw=draw_colors, filters=filters, codec="mpeg4"
    )
    (frame,) = decode(clip, [0])
    assert are_close(bars_of(frame.image), COLORS, within=8)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_clip_is_upright(clips: ClipCache, degrees, tmp_path):
    turned = tmp_path / "turned.mp4"
    lying = make_clip(
        tmp_path / "lying.mp4",
        duration=0.4,
        size=(192, 108) if degrees == 180 else (108, 192),
        draw=lambda number, _: np.ascontiguousarray(
            np.rot90(numbered_frame(number, (192, 108)), -degrees // 90)
        ),
    )
    run_ffmpeg(
        ffmpeg.output(ffmpeg.input(str(lying)), str(turned), c="copy"),
        before=["-display_rotation", str(degrees)],
    )
    info = probe(str(turned))
    assert info.video.rotation == degrees
    assert info.video.display_size == (192, 108)
    frames = decode(turned, [0.1, 0.3])
    assert [read_number(frame.image) for frame in frames] == [2, 7]
    small = decode(turned, [0.3], size=(96, 54))[0].image
    assert small.shape == (54, 96, 3)
    assert read_number(small) == 7


def test_an_anamorphic_clip_is_not_squeezed(clips: ClipCache):
    def draw_circle(_: int, size: tuple[int, int]) -> np.ndarray:
        image = np.zeros((size[1], size[0], 3), np.uint8)
        axes = (round(100 / (64 / 45)), 100)  # in stored pixels, so that it is shown round
        return cv2.ellipse(image, (size[0] // 2, size[1] // 2), axes, 0, 0, 360, (255,) * 3, -1)

    clip = clips.get(
        duration=0.04, size=(720, 576), filters="setsar=64/45", draw=draw_circle, gop=1
    )
    (frame,) = decode(clip, [0])
    assert frame.image.shape == (576, 1024, 3)
    bright = frame.image[..., 1] > 128
    wide, high = bright.any(axis=0).sum(), bright.any(axis=1).sum()
    assert abs(int(wide) - int(high)) <= 3


@pytest.mark.parametrize("size", [(64, 36), (33, 77), (400, 225), (1, 1)])
def test_a_frame_has_exactly_the_size_asked_for(clips: ClipCache, size):
    (frame,) = decode(clips.get(duration=1), [0.4], size=size)
    assert frame.image.shape == (size[1], size[0], 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags["C_CONTIGUOUS"]


def test_shrinking_averages_and_does_not_drop_lines(clips: ClipCache):
    def draw_lines(_: int, size: tuple[int, int]) -> np.ndarray:
        image = np.zeros((size[1], size[0], 3), np.uint8)
        image[::4] = 255
        return image

    clip = clips.get(duration=0.04, size=(320, 320), draw=draw_lines, options={"crf": 1})
    (frame,) = decode(clip, [0], size=(40, 40))
    assert frame.image.std() < 3
    assert abs(frame.image.mean() - 255 / 4) < 4


@pytest.mark.parametrize("snap", [False, True])
def test_interlaced_pictures_are_not_combed(clips: ClipCache, snap):
    def draw_moving_bar(number: int, size: tuple[int, int]) -> np.ndarray:
        image = np.full((size[1], size[0], 3), 30, np.uint8)
        image[:, 10 + 12 * number : 50 + 12 * number] = 220
        return image

    clip = clips.get(
        ".mpg",
        duration=0.4,
        rate=50,
        size=(352, 288),
        draw=draw_moving_bar,
        codec="mpeg2video",
        filters="interlace=lowpass=off",
        options={"flags": "+ildct+ilme", "b:v": "4M"},
        gop=4,
    )
    assert probe(str(clip)).video.is_interlaced
    with av.open(str(clip)) as container:
        raw = [f.to_ndarray(format="gray") for f in container.decode(video=0)][5]
    assert combing(raw) > 10
    frames = list(decode_plan(probe(str(clip)), plan_of([0.21], snap=snap), size=None, warn=print))
    assert combing(frames[0].image[..., 1]) < 3


def combing(image: np.ndarray) -> float:
    """How much each line differs from the two around it, where those agree."""
    lines = image.astype(float)
    return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())


def draw_ramps(_: int, size: tuple[int, int]) -> np.ndarray:
    """Grey from black to white on top, colours below."""
    width, height = size
    image = np.full((height, width, 3), 128, np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None]
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    image[: height // 4] = np.linspace(0, 255, width)[None, :, None]
    return image


def make_hdr(transfer: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        filters = (
            "scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le,setparams="
            f"color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
        )
        lossless = {"x265-params": "log-level=none:pools=1:lossless=1"}
        return make_clip(
            path,
            duration=0.04,
            size=(256, 144),
            draw=draw_ramps,
            codec="libx265",
            pix_fmt="yuv420p10le",
            filters=filters,
            options=lossless,
        )

    return make


def tone_mapped_by_zscale(clip: Path) -> np.ndarray:
    """The same picture through the chain of the ffmpeg program."""
    chain = (
        "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
        "zscale=t=iec61966-2-1:m=gbr:r=pc,format=gbrp,format=rgb24"
    )
    raw = clip.with_suffix(".raw")
    run_ffmpeg(ffmpeg.output(ffmpeg.input(str(clip)), str(raw), vf=chain, format="rawvideo"))
    return np.fromfile(raw, np.uint8).reshape(144, 256, 3).astype(int)


def test_pq_is_tone_mapped_as_zscale_and_hable_do(clips: ClipCache):
    clip = clips.build(".mkv", make_hdr("smpte2084"), key="smpte2084")
    assert probe(str(clip)).video.is_hdr
    (frame,) = decode(clip, [0])
    difference = np.abs(frame.image.astype(int) - tone_mapped_by_zscale(clip))
    assert difference.mean() < 1
    assert np.percentile(difference, 99) <= 3


def test_hlg_is_tone_mapped_by_luminance(clips: ClipCache):
    clip = clips.build(".mkv", make_hdr("arib-std-b67"), key="arib-std-b67")
    (frame,) = decode(clip, [0])
    ours, theirs = frame.image.astype(int), tone_mapped_by_zscale(clip)
    assert np.abs(ours - theirs)[:30].max() <= 3  # greys, where luminance and channels agree
    assert np.abs(ours - theirs).mean() < 10


def test_one_hlg_colour_is_what_the_standard_says():
    signal = (0.6, 0.5, 0.3)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = [(v * v / 3 if v <= 0.5 else (math.exp((v - c) / a) + b) / 12) for v in signal]
    luma = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
    shown = [10 * value * luma**0.2 for value in scene]  # 1.0 is 100 cd/m²

    def hable(v: float) -> float:
        return (v * (v * 0.15 + 0.05) + 0.004) / (v * (v * 0.15 + 0.5) + 0.06) - 0.02 / 0.3

    top = max(shown)
    linear = [value * hable(top) / hable(10.0) / top for value in shown]
    wanted = [255 * (1.055 * value ** (1 / 2.4) - 0.055) for value in linear]
    pixel = np.array(signal)[None, None] * 65535
    mapped = tone_map(pixel.astype(np.uint16), transfer=HLG, wide=False)[0, 0]
    assert np.abs(mapped - wanted).max() <= 1


def test_hdr_shrinks_to_the_size_asked_for(clips: ClipCache):
    clip = clips.build(".mkv", make_hdr("smpte2084"), key="smpte2084")
    (frame,) = decode(clip, [0], size=(64, 36))
    small = cv2.resize(decode(clip, [0])[0].image, (64, 36), interpolation=cv2.INTER_AREA)
    assert np.abs(frame.image.astype(int) - small).mean() < 6


def test_alpha_is_dropped(clips: ClipCache):
    clip = clips.get(".webm", codec="libvpx-vp9", pix_fmt="yuva420p", duration=0.4)
    (frame,) = decode(clip, [0.2])
    assert frame.image.shape[2] == 3
    assert read_number(frame.image) == 5


def test_sizes_that_vanish_keep_a_pixel(clips: ClipCache):
    clip = clips.get(".mkv", codec="ffv1", size=(4096, 16), duration=0.08, pix_fmt="bgr0")
    (frame,) = decode(clip, [0.04], size=(28, 1))
    assert frame.image.shape == (1, 28, 3)
    tiny = clips.get(".mkv", codec="ffv1", size=(2, 4), duration=0.08, pix_fmt="bgr0")
    assert probe(str(tiny)).video.display_size == (2, 4)
    assert decode(tiny, [Fraction(1, 25)])[0].image.shape == (4, 2, 3)


def test_the_frame_is_not_changed_by_being_converted(clips: ClipCache):
    with av.open(str(clips.get(duration=1))) as container:
        frame = next(container.decode(video=0))
    before = frame.to_ndarray().copy()
    to_picture(frame, size=(50, 50), rotation=90)
    assert np.array_equal(frame.to_ndarray(), before)
