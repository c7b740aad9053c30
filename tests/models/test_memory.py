"""Memory is added up by part, as llama.cpp reserves it."""

import pytest

from vidcli.core.model import GgufFacts
from vidcli.models.gguf import read_facts
from vidcli.models.memory import PROCESS_BYTES, MemoryNeed, layers_that_fit, memory_needed

MIB = 1024**2


def facts(pairs, shape: str) -> tuple[GgufFacts, GgufFacts]:
    weights, mmproj = pairs(shape)
    return read_facts(weights), read_facts(mmproj)


def test_parts_match_the_reservations_llama_cpp_logs(pairs):
    # Logged by llama-cpp-python 0.3.36 for this pair and 8192 cells: cache 4.00, graph 10.02 MiB.
    weights, mmproj = facts(pairs, "tiny-qwen2vl")
    need = memory_needed(weights, mmproj, n_ctx=8192)
    assert need.kv_cache == 4 * MIB
    assert need.text_graph / MIB == pytest.approx(10.02, rel=0.05)
    assert need.weights == weights.size_bytes
    assert need.mmproj == mmproj.size_bytes
    assert need.total == PROCESS_BYTES + sum(
        (need.weights, need.mmproj, need.kv_cache, need.text_graph, need.vision_graph)
    )


def test_cache_grows_with_cells_and_bits(pairs):
    pair = facts(pairs, "tiny-gemma3")
    full = memory_needed(*pair, n_ctx=4096).kv_cache
    assert memory_needed(*pair, n_ctx=8192).kv_cache == 2 * full
    assert memory_needed(*pair, n_ctx=4096, kv_bits=8).kv_cache == full // 2


def test_context_of_zero_is_what_the_model_was_trained_with(pairs):
    pair = facts(pairs, "tiny-idefics3")
    assert memory_needed(*pair, n_ctx=0) == memory_needed(*pair, n_ctx=8192)


def test_heads_given_for_each_layer_are_counted_at_their_most(pairs, copy):
    source, mmproj = pairs("tiny-idefics3")
    key = "llama.attention.head_count_kv"
    uneven = read_facts(copy(source, "uneven.gguf", keys={key: [1, 2]}))
    projector = read_facts(mmproj)
    plain = memory_needed(read_facts(source), projector, n_ctx=4096).kv_cache  # 2 of 4 heads
    assert memory_needed(uneven, projector, n_ctx=4096).kv_cache == 2 * plain


NEED = MemoryNeed(
    weights=8 * 2**30, mmproj=2**30, kv_cache=2**30, text_graph=2**28, vision_graph=2**28
)


@pytest.mark.parametrize(
    ("free_gib", "with_vision", "layers"),
    [(0, True, 0), (1, True, 0), (6, False, 16), (6, True, 12), (10, True, 25), (24, True, 29)],
)
def test_as_many_layers_are_offloaded_as_the_card_holds(
    free_gib: int, with_vision: bool, layers: int
) -> None:
    found = layers_that_fit(NEED, n_layers=28, free_bytes=free_gib * 2**30, with_vision=with_vision)
    assert found == layers
