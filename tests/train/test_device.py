"""Which device is trained on, as far as a machine without cards can tell."""

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import torch

from vidcli.errors import ResourceError
from vidcli.train.device import choose_device

pytestmark = pytest.mark.train


@pytest.fixture
def cards(monkeypatch):
    """A machine with the cards that are named, as far as torch says so."""

    def say(*there: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)

    return say


@pytest.mark.parametrize(
    ("there", "chosen"),
    [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")],
)
def test_auto_takes_cuda_then_metal_then_the_processor(there, chosen, cards):
    cards(*there)
    assert choose_device("auto").type == chosen


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_is_taken_where_it_is_and_refused_where_it_is_not(name, cards):
    cards(name)
    assert choose_device(name).type == name
    cards()
    with pytest.raises(ResourceError, match=f"no {name} device here") as caught:
        choose_device(name)
    assert "--device cpu" in str(caught.value.hint)


def test_the_processor_is_taken_though_there_is_a_card(cards):
    cards("cuda", "mps")
    assert choose_device("cpu").type == "cpu"
