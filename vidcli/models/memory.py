"""How much memory a model takes once it is loaded, by part, from the headers of its files.

The formulas follow llama.cpp's own reservation log. For the SmolVLM2-256M shape with 4096 cells
they give its figures to the megabyte: 90 MiB of cache, 98.5 for the text graph, 21 for the vision
graph.
"""

from dataclasses import dataclass, fields

from vidcli.core.model import GgufFacts
from vidcli.models.gguf import integer_of

PROCESS_BYTES = 96 * 1024**2  # Python with numpy, av, cv2 and llama.cpp loaded: 85 MB measured
N_UBATCH = 512  # tokens llama.cpp computes at once
FLOAT_BYTES = 4
GPU_MARGIN_BYTES = 512 * 1024**2  # what drivers and other programs take beside the model


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes by part; all of them are an upper bound of what is touched.

    Attributes:
        weights: The language model's file, mapped.
        mmproj: The projector's file, read.
        kv_cache: Keys and values of every cell of the context.
        text_graph: Working memory of a prefill.
        vision_graph: Working memory of one frame's encoding.
        process: Python and libraries.
    """

    weights: int
    mmproj: int
    kv_cache: int
    text_graph: int
    vision_graph: int
    process: int = PROCESS_BYTES

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(int(getattr(self, part.name)) for part in fields(self))


def memory_needed(
    weights: GgufFacts,
    mmproj: GgufFacts | None,
    *,
    n_ctx: int,
    kv_bits: int = 16,
    n_ubatch: int = N_UBATCH,
) -> MemoryNeed:
    """Add up what a pair takes.

    Args:
        weights: Of the language model.
        mmproj: Of the projector; None for a language model by itself.
        n_ctx: Context cells; 0 takes what the model was trained with.
        kv_bits: Bits a number in the KV cache takes.
        n_ubatch: Tokens computed at once.
    """
    n_ctx = n_ctx or _of(weights, "context_length")
    return MemoryNeed(
        weights=weights.size_bytes,
        mmproj=mmproj.size_bytes if mmproj else 0,
        kv_cache=_kv_numbers_per_cell(weights) * n_ctx * kv_bits // 8,
        text_graph=_text_graph(weights, n_ctx=n_ctx, n_ubatch=n_ubatch),
        vision_graph=_vision_graph(mmproj) if mmproj else 0,
    )


def layers_that_fit(need: MemoryNeed, *, n_layers: int, free_bytes: int, with_vision: bool) -> int:
    """How many layers of a model a graphics card holds.

    Args:
        need: What the pair takes in all.
        n_layers: Of the language model; its output counts as one more.
        free_bytes: Of the card, or of all cards together.
        with_vision: Whether the vision encoder goes there too.

    Returns:
        From 0 to `n_layers + 1`, with `GPU_MARGIN_BYTES` left free.
    """
    taken = GPU_MARGIN_BYTES + need.text_graph
    taken += need.mmproj + need.vision_graph if with_vision else 0
    per_layer = (need.weights + need.kv_cache) / (n_layers + 1)
    return max(0, min(n_layers + 1, int((free_bytes - taken) / per_layer)))


def _kv_numbers_per_cell(facts: GgufFacts) -> int:
    """Numbers one cell stores, over all layers.

    Layers with a sliding window store fewer cells than the context has; they are counted in full.
    """
    n_heads = _of(facts, "attention.head_count") or 1
    n_kv_heads = _of(facts, "attention.head_count_kv") or n_heads  # an array: the upper bound
    width = _of(facts, "embedding_length") // n_heads
    key = _of(facts, "attention.key_length") or width
    value = _of(facts, "attention.value_length") or width
    return _of(facts, "block_count") * n_kv_heads * (key + value)


def _text_graph(facts: GgufFacts, *, n_ctx: int, n_ubatch: int) -> int:
    """The larger of the logits and of one layer's mask and feed-forward, plus two residuals."""
    n_vocab = facts.tensors.get("token_embd.weight", (0,))[0]
    layer = n_ctx // 2 + 3 * _of(facts, "feed_forward_length")  # the mask is float16
    per_token = 2 * _of(facts, "embedding_length") + max(n_vocab, layer)
    return n_ubatch * per_token * FLOAT_BYTES


def _vision_graph(facts: GgufFacts) -> int:
    """One layer over all patches of a frame; rotary encoders hold more copies of it."""
    patch = integer_of(facts, "clip.vision.patch_size") or 16
    side = integer_of(facts, "clip.vision.image_size") // patch
    copies = 3 if "v.position_embd.weight" in facts.tensors else 12
    width = integer_of(facts, "clip.vision.embedding_length")
    hidden = integer_of(facts, "clip.vision.feed_forward_length")
    return side**2 * (hidden + copies * width) * FLOAT_BYTES


def _of(facts: GgufFacts, key: str) -> int:
    """A whole-number key of the language model's architecture, 0 where absent."""
    return integer_of(facts, f"{facts.architecture}.{key}")
