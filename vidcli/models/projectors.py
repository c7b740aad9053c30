"""What the projectors this llama.cpp knows need: which tensors, which vocabulary, what width out.

The tables restate `tools/mtmd` of the llama.cpp inside llama-cpp-python 0.3.36 (`clip-impl.h` for
the names, `clip_n_mmproj_embd` for widths, `mtmd_context::init_vision` for tokens). What they leave
out is not checked here, and llama.cpp has the last word.
"""

from dataclasses import dataclass

from vidcli.core.model import GgufFacts
from vidcli.models.gguf import integer_of

_SEEING_NAMES = """
adapter cogvlm deepseek4v deepseekocr deepseekocr2 dots3note_v dots_ocr exaone4_5 gemma3
gemma3nv gemma4uv gemma4v glm4v glm5v granite4_vision hunyuanvl idefics3 internvl janus_pro
kimik25 kimivl ldp ldpv2 lfm2 lightonocr ling3vl llama4 mimovl minicpmv4_6 minimax_m3 mlp
muse-glimmer nemotron_v2_vl paddleocr phi4 pixtral qwen2.5o qwen2.5vl_merger qwen2vl_merger
qwen3vl_merger resampler step3vl yasa2 youtuvl
"""
_HEARING_NAMES = """
dots3note_a gemma3na gemma4a gemma4ua glma granite_speech lfm2a meralion mimo_audio
musicflamingo parakeet pockettts_gen pockettts_spkenc qwen2a qwen3a qwen3tts_gen qwen3tts_spkenc
ultravox voxtral
"""
SEEING = frozenset(_SEEING_NAMES.split())
HEARING = frozenset(_HEARING_NAMES.split())
# A learned vector for each patch of one square: the input size is the table's.
SQUARE_POSITIONS = frozenset(("gemma3", "idefics3", "internvl", "mlp"))
_NATIVE_NAMES = """
dots3note_v dots_ocr exaone4_5 gemma4uv gemma4v glm4v glm5v hunyuanvl kimik25 kimivl lfm2 lightonocr
ling3vl mimovl minimax_m3 muse-glimmer paddleocr phi4 pixtral qwen2.5o qwen2.5vl_merger
qwen2vl_merger qwen3vl_merger youtuvl
"""
NATIVE_SIZE = frozenset(_NATIVE_NAMES.split())  # take pictures of any size, tokens by their area

_QWEN_TOKENS = ("<|vision_start|>", "<|vision_end|>")
_QWEN_MERGER = ("mm.0.weight", "mm.0.bias", "mm.2.weight", "mm.2.bias")
_POST_NORM = ("v.post_ln.weight",)
_POSITIONS = ("v.position_embd.weight",)
_LAYER = ("ln1.weight", "ln2.weight", "attn_out.weight", "ffn_up.weight", "ffn_down.weight")
_MLP = "mm.model.mlp."


@dataclass(frozen=True, slots=True)
class Needs:
    """What one projector type needs.

    Attributes:
        tokens: Vocabulary entries that mtmd looks up; it takes token -1 for one that is absent,
            which ends the process.
        width: Tensor and axis that hold the width of a visual token; None where not known.
        tensors: Without which it loads and computes something else, or not at all.
        whole_layers: Whether each layer must have the usual norms, attention and feed-forward.
    """

    tokens: tuple[str, ...] = ()
    width: tuple[str, int] | None = None
    tensors: tuple[str, ...] = ()
    whole_layers: bool = False


_NEEDS = {
    "idefics3": Needs(
        ("<fake_token_around_image>", "<global-img>", "\n\n", "\n"),
        ("mm.model.fc.weight", 0),
        (*_POSITIONS, *_POST_NORM, "mm.model.fc.weight"),
        whole_layers=True,
    ),
    "mlp": Needs((), ("mm.2.weight", 0), (*_POSITIONS, "mm.0.weight"), whole_layers=True),
    "internvl": Needs(
        ("<img>", "</img>"),
        (f"{_MLP}3.weight", 0),
        (
            *_POSITIONS,
            "v.class_embd",
            *(f"{_MLP}{n}.{p}" for n in (0, 1, 3) for p in ("weight", "bias")),
        ),
        whole_layers=True,
    ),
    "gemma3": Needs(
        ("<start_of_image>", "<end_of_image>"),
        ("mm.input_projection.weight", -1),
        (*_POSITIONS, *_POST_NORM, "mm.input_projection.weight", "mm.soft_emb_norm.weight"),
        whole_layers=True,
    ),
    "qwen2vl_merger": Needs(
        _QWEN_TOKENS,
        ("mm.2.bias", 0),
        ("v.patch_embd.weight.1", *_POST_NORM, *_QWEN_MERGER),
        whole_layers=True,
    ),
    "qwen2.5vl_merger": Needs(
        _QWEN_TOKENS,
        ("mm.2.bias", 0),
        ("v.patch_embd.weight.1", *_POST_NORM, *_QWEN_MERGER),
        whole_layers=True,
    ),
    "qwen3vl_merger": Needs(
        _QWEN_TOKENS,
        ("mm.2.bias", 0),
        ("v.patch_embd.weight.1", "v.patch_embd.bias", *_POSITIONS, *_POST_NORM, *_QWEN_MERGER),
        whole_layers=True,
    ),
    "qwen2.5o": Needs(_QWEN_TOKENS, ("mm.2.bias", 0)),
    "ling3vl": Needs(_QWEN_TOKENS, ("mm.2.bias", 0)),
    "mimovl": Needs(_QWEN_TOKENS, ("mm.2.weight", 0)),
    "gemma3nv": Needs(("<start_of_image>", "<end_of_image>")),
    "gemma4v": Needs(("<|image>", "<image|>"), ("mm.input_projection.weight", 0)),
    "resampler": Needs(("<image>", "</image>"), ("resampler.proj.weight", -1)),
    "minicpmv4_6": Needs(("<image>", "</image>")),
    "pixtral": Needs(("[IMG_END]",), ("mm.2.weight", 0)),
    "llama4": Needs(("<|image_start|>", "<|image_end|>")),
    "lfm2": Needs(("<|image_start|>", "<|image_end|>"), ("mm.2.weight", 0)),
    "kimivl": Needs(("<|media_start|>", "<|media_end|>"), ("mm.2.weight", 0)),
    "nemotron_v2_vl": Needs((), (f"{_MLP}3.weight", 0)),
    "glm4v": Needs(("<|begin_of_image|>", "<|end_of_image|>")),
    "paddleocr": Needs(("<|IMAGE_START|>", "<|IMAGE_END|>"), ("mm.2.weight", 0)),
    "exaone4_5": Needs(("<vision>", "</vision>"), ("mm.2.bias", 0)),
}


def needs_of(projector: str) -> Needs:
    """What a projector type needs; nothing for one without an entry."""
    return _NEEDS.get(projector, Needs())


def visual_width(mmproj: GgufFacts) -> int | None:
    """Numbers in one visual token; None where this projector's tensors are not known here.

    Deepstack projectors (Qwen3-VL) put the output of some vision layers behind the main one, so
    that a token is several times as wide.
    """
    known = needs_of(mmproj.projector).width
    shape = mmproj.tensors.get(known[0]) if known else None
    if known is None or not shape:
        return None
    streams = sum(1 for name in mmproj.tensors if _is_deepstack(name))
    return shape[known[1]] * (1 + streams)


def text_width(weights: GgufFacts) -> int:
    """Numbers a language model takes for one token, deepstack streams included."""
    arch = weights.architecture
    streams = integer_of(weights, f"{arch}.n_deepstack_layers")
    return integer_of(weights, f"{arch}.embedding_length") * (1 + streams)


def missing_tensors(mmproj: GgufFacts) -> tuple[str, ...]:
    """Tensors of the vision encoder and projector that should be there and are not.

    Besides what the projector type needs, a tensor that most layers have and one lacks is missing:
    llama.cpp takes biases and norms for optional and computes something else without them.
    """
    needs = needs_of(mmproj.projector)
    if not needs.tensors:
        return ()
    # A damaged count may be in the billions; one layer too many is enough to find it out.
    n_layers = min(integer_of(mmproj, "clip.vision.block_count"), len(mmproj.tensors) + 1)
    wanted = ["v.patch_embd.weight", *needs.tensors]
    layers = [_suffixes(mmproj, f"v.blk.{layer}.") for layer in range(n_layers)]
    usual = {
        suffix
        for suffix in set[str]().union(*layers)
        if 2 * sum(suffix in layer for layer in layers) > n_layers
    }
    for number, layer in enumerate(layers):
        expected = usual | set(_LAYER if needs.whole_layers else ())
        if "attn_qkv.weight" not in layer:
            expected |= {"attn_q.weight", "attn_k.weight", "attn_v.weight"}
        wanted += [f"v.blk.{number}.{suffix}" for suffix in sorted(expected)]
    return tuple(name for name in wanted if name not in mmproj.tensors)


def _suffixes(facts: GgufFacts, prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in facts.tensors if name.startswith(prefix)}


def _is_deepstack(name: str) -> bool:
    return name.startswith("v.deepstack.") and name.endswith(".fc1.weight")
