"""What llama.cpp says of the graphics cards it can use."""

from vidcli.engine import native
from vidcli.engine.devices import list_gpus


def test_cards_are_listed_only_where_the_build_can_use_any() -> None:
    gpus = list_gpus()
    assert bool(gpus) <= native.supports_gpu()
    for gpu in gpus:
        assert gpu.name
        assert 0 <= gpu.free_bytes <= gpu.total_bytes
