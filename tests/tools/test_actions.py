"""A1.7: `actions` does a real forward pass; the network tells brightness and movement."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.nets import save_clip_classifier, save_colour_detector
from vidcli.core.detections import Guess, Window
from vidcli.core.time import Span
from vidcli.errors import ModelError
from vidcli.tools.actions import (
    MEANS,
    ActionNetwork,
    as_probabilities,
    best_guesses,
    cut_square,
    instants_of,
    merge_windows,
    plan_windows,
)


@pytest.fixture
def network(tmp_path: Path) -> ActionNetwork:
    (tmp_path / "clips.txt").write_text("bright\ndark\nmoving\n")
    return ActionNetwork(save_clip_classifier(tmp_path / "clips.onnx"))


def grey(level: int) -> np.ndarray:
    return np.full((112, 112, 3), level, np.uint8)


@pytest.mark.parametrize("level", [90, 120, 140])
def test_probabilities_are_those_of_the_logits(network: ActionNetwork, level: int):
    """A1.7: bright m/10, dark −m/10, moving −2, with m the red level less its mean."""
    m = level - float(MEANS[0])
    logits = np.array([m / 10, -m / 10, -2])
    wanted = np.exp(logits) / np.exp(logits).sum()
    assert network.classify([grey(level)] * 16) == pytest.approx(wanted.tolist(), abs=1e-4)


def test_movement_is_seen_between_the_frames(network: ActionNetwork):
    flicker = [grey(115 + 20 * (number % 2)) for number in range(16)]
    assert best(network, flicker) == "moving"
    assert best(network, sorted(flicker, key=np.max)) != "moving"


def best(network: ActionNetwork, images: list[np.ndarray]) -> str:
    return best_guesses(network.classify(images), network.labels, top=1)[0].label


def test_order_colour_and_size_of_frames_are_as_the_network_wants(network: ActionNetwork):
    red = np.zeros((90, 160, 3), np.uint8)
    red[..., 0] = 255
    assert network.classify([red] * 16)[0] > 0.99
    assert network.classify([red[..., ::-1].copy()] * 16)[1] > 0.99
    assert (network.length, network.size) == (16, 112)


def test_the_middle_is_looked_at():
    wide = np.zeros((50, 200, 3), np.uint8)
    wide[:, 75:125] = 255
    square = cut_square(wide, 50)
    assert square.shape == (50, 50, 3)
    assert square.min() == 255
    assert cut_square(np.zeros((30, 20, 3), np.uint8), 112).shape == (112, 112, 3)


def test_numbers_that_are_shares_already_stay():
    shares = np.array([0.25, 0.75], np.float32)
    assert as_probabilities(shares) is shares
    assert as_probabilities(np.array([1000, 0], np.float32)).tolist() == [1, 0]


def test_a_detector_is_no_classifier(tmp_path: Path):
    with pytest.raises(ModelError, match=r"no clip classifier: it is a detector; in: images"):
        ActionNetwork(save_colour_detector(tmp_path / "d.onnx", ((1, 0, 0),)))


def test_labels_are_never_invented(tmp_path: Path):
    with pytest.raises(ModelError, match="tells 3 classes apart, and nothing says what they are"):
        ActionNetwork(save_clip_classifier(tmp_path / "bare.onnx"))


@given(
    st.fractions(0, 50),
    st.fractions(Fraction(1, 100), 50),
    st.fractions(Fraction(1, 100), 5),
    st.fractions(Fraction(1, 10), 5),
    st.integers(1, 40),
)
def test_windows_lie_inside_the_span_in_order(
    start: Fraction, length: Fraction, window: Fraction, every: Fraction, most: int
):
    span = Span(start, start + length)
    windows, spacing = plan_windows(span, length=window, every=every, most=most)
    assert 1 <= len(windows) <= most
    assert windows[0].start == start
    assert windows[-1].end <= span.end
    starts = [one.start for one in windows]
    assert starts == sorted(set(starts))
    assert len(windows) == most or spacing == every or len(windows) == 1
    instants = instants_of(windows[-1], 16)
    assert all(time in windows[-1] for time in instants)
    assert len(set(instants)) == 16


def window(number: int, *guesses: tuple[str, float]) -> Window:
    span = Span(Fraction(number), Fraction(number + 1))
    return Window(span, tuple(Guess(*guess) for guess in guesses))


def test_windows_that_agree_become_one_action():
    told = [("run", 0.9), ("run", 0.7), ("sit", 0.8), ("sit", 0.1), ("sit", 0.6), ("run", 0.5)]
    merged = merge_windows([window(n, one) for n, one in enumerate(told)], least=0.3)
    assert [(a.label, a.span.start, a.span.end, a.windows) for a in merged] == [
        ("run", 0, 2, 2),
        ("sit", 2, 3, 1),
        ("sit", 4, 5, 1),
        ("run", 5, 6, 1),
    ]
    assert merged[0].probability == pytest.approx(0.8)
    assert merge_windows([], least=0) == ()


def test_the_best_come_first():
    guesses = best_guesses((0.1, 0.6, 0.3), ("a", "b", "c"), top=2)
    assert [guess.label for guess in guesses] == ["b", "c"]
