"""Promises of encoded pictures and contact sheets."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.media import Frame
from vidcli.core.time import Timestamp
from vidcli.errors import MediaError, UsageError
from vidcli.media import sheet


def frame(seconds: int, color: tuple[int, int, int], size: tuple[int, int] = (320, 180)) -> Frame:
    image = np.full((size[1], size[0], 3), color, np.uint8)
    return Frame(image, Timestamp(seconds, Fraction(1)), Fraction(seconds))


def decode(data: bytes) -> np.ndarray:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(
    ("name", "magic"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")]
)
def test_pictures_keep_their_colours_in_every_format(name, magic):
    image = frame(0, (200, 40, 90)).image
    data = sheet.encode_image(image, name, 95)
    assert data.startswith(magic)
    assert np.abs(decode(data).astype(int) - image).max() <= 4


def test_png_is_exact_and_lower_quality_is_smaller():
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), dtype=np.uint8)
    assert np.array_equal(decode(sheet.encode_image(noise, "png")), noise)
    for name in ("jpeg", "webp"):
        small, large = (len(sheet.encode_image(noise, name, quality)) for quality in (20, 95))
        assert small < large


def test_unknown_formats_and_impossible_pictures_are_errors():
    image = frame(0, (1, 2, 3)).image
    with pytest.raises(UsageError, match="bmp"):
        sheet.encode_image(image, "bmp")
    with pytest.raises(UsageError, match="101"):
        sheet.encode_image(image, "jpeg", 101)
    with pytest.raises(MediaError, match="20000x1"):
        sheet.encode_image(np.zeros((1, 20_000, 3), np.uint8), "webp")


def test_a_sheet_shows_every_frame_in_order_with_light_text_below():
    colors = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]
    frames = [frame(second, color) for second, color in enumerate(colors)]
    drawn = sheet.draw_sheet(frames, ["opening", "shot", "gap fill", "closing"])
    found = []
    for color in colors:
        rows, columns = np.nonzero((drawn == color).all(axis=2))
        found.append((rows.min() // 50, columns.min()))
        width = columns.max() - columns.min() + 1
        assert width >= sheet.TILE_WIDTHS[0]
        band = drawn[rows.max() + 1 : rows.max() + 20, columns.min() : columns.max() + 1]
        left, right = band[:, : width // 2], band[:, width // 2 :]
        assert left.max() > 200
        assert right.max() > 120
        assert np.median(band) < 60
    assert found == sorted(found)


def test_a_title_is_written_above_and_odd_letters_do_no_harm():
    frames = [frame(0, (90, 90, 90))]
    plain = sheet.draw_sheet(frames, ["uniform"])
    titled = sheet.draw_sheet(frames, ["uniform"], title="Ferien in Ürümqi\n🎬")
    assert titled.shape[0] > plain.shape[0]
    assert titled[: titled.shape[0] - plain.shape[0]].max() > 200


def test_frames_of_another_shape_are_fitted_in_whole():
    frames = [frame(0, (250, 0, 0)), frame(1, (0, 250, 0), size=(90, 160))]
    drawn = sheet.draw_sheet(frames, ["shot", "shot"])
    rows, columns = np.nonzero((drawn == (0, 250, 0)).all(axis=2))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height / width == pytest.approx(160 / 90, rel=0.03)


@given(st.integers(1, 300), st.floats(0.2, 5))
def test_columns_waste_less_than_half_of_the_places(count, aspect):
    columns = sheet.choose_columns(count, aspect)
    rows = -(-count // columns)
    assert 1 <= columns <= count
    assert rows * columns < 2 * count


def test_a_sheet_of_very_many_frames_keeps_its_tiles_legible():
    frames = [frame(second, (80, 80, 80), size=(32, 18)) for second in range(300)]
    drawn = sheet.draw_sheet(frames, ["uniform"] * 300)
    columns = sheet.choose_columns(300, 32 / 18)
    assert drawn.shape[1] >= columns * sheet.TILE_WIDTHS[0]
