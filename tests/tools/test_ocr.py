"""RapidOCR reads lines of pictures with the weights of its own wheel."""

import sys
from typing import Any

import numpy as np
import pytest

from tests.screens import LIGHT, letter
from vidcli.errors import SetupError
from vidcli.tools.ocr import RapidTextReader, name_reader

LINES = ("Meet me at 221B Baker Street", "the answer is 42")


@pytest.fixture(scope="module")
def reader() -> RapidTextReader:
    return RapidTextReader(threads=1)


@pytest.mark.parametrize("ink", [(24, 20, 20), LIGHT])
def test_lines_are_read_as_they_are_written(reader: RapidTextReader, ink: Any):
    image = letter(LINES, ink=ink)
    places = reader.find(image)
    read = reader.read(image, places)
    assert tuple(line.text for line in read) == LINES
    assert all(line.confidence > 0.9 for line in read)
    first = np.abs(image[:80].astype(int) - image[0, 0]).sum(axis=2) > 60
    rows, columns = np.nonzero(first.any(axis=1))[0], np.nonzero(first.any(axis=0))[0]
    truth = (columns[0], rows[0], columns[-1], rows[-1])
    assert np.abs(np.array(places[0].box) - truth).max() < 10, "the box is where the ink is"


@pytest.mark.parametrize("turns", [1, 3])
def test_a_line_that_runs_up_or_down_is_read(reader: RapidTextReader, turns: int):
    image = np.ascontiguousarray(np.rot90(letter(LINES[:1]), turns))
    assert [line.text for line in reader.read(image, reader.find(image))] == [LINES[0]]


@pytest.mark.parametrize("size", [(640, 360), (2, 2)])
def test_an_empty_picture_holds_no_text(reader: RapidTextReader, size: tuple[int, int]):
    assert reader.find(np.zeros((size[1], size[0], 3), np.uint8)) == ()


def test_a_place_too_small_for_a_letter_says_nothing(reader: RapidTextReader):
    image = letter(LINES[:1])
    (place,) = reader.find(image)
    (line,) = reader.read(image, [place.scaled(0.001)])
    assert line.text == ""


def test_without_the_extra_the_line_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    monkeypatch.delitem(sys.modules, "rapidocr.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Missing(), *sys.meta_path])
    with pytest.raises(SetupError) as caught:
        RapidTextReader(threads=1)
    assert "extra 'ocr'" in str(caught.value)
    assert caught.value.hint == "pip install 'vidcli[ocr]'"


class _Missing:
    """Finds no RapidOCR, as on a machine where it is not installed."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        if name.split(".")[0] == "rapidocr":
            raise ModuleNotFoundError("No module named 'rapidocr'")


def test_the_reader_names_program_and_weights(reader: RapidTextReader):
    assert reader.name == name_reader()
    assert reader.name.startswith("RapidOCR 3.")
