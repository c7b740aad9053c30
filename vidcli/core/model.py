"""What a vision-language model is on disk, and how it is to be loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

Scalar = str | int | float | bool
UNREAD = (
    "has learnt to answer about pictures, not to read or to plan: what it writes from captions, "
    "speech or the words of tools may mean nothing"
)


class Detail(StrEnum):
    """How finely each frame is looked at.

    LOW shrinks the vision input by interpolated position embeddings (approximate, several times
    faster); NORMAL is the model's own video recipe, one tile a frame; HIGH allows tiles.
    """

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class LanguageFiles:
    """A language model by itself, of a pair or of none.

    Attributes:
        weights: GGUF (the first part of a split one).
        weights_sha256: Hex digest of it (all parts, in order, where split).
        name: What to call it in results.
        adapter: LoRA adapter GGUF on it; None where there is none.
        adapter_sha256: Hex digest of that; empty where there is none.
        lora_scale: How strongly it counts.
        follows_instructions: Whether it does; see `ModelFiles`.
    """

    weights: Path
    weights_sha256: str
    name: str
    adapter: Path | None = None
    adapter_sha256: str = ""
    lora_scale: float = 1.0
    follows_instructions: bool = True

    @property
    def doubts(self) -> tuple[str, ...]:
        """What to say of all that it writes from words, such as captions."""
        return () if self.follows_instructions else (f"{self.name} {UNREAD}",)

    @property
    def adapter_key(self) -> str:
        """Names the adapter and how much it counts; empty where it changes nothing."""
        counts = self.adapter is not None and self.lora_scale
        return f"{self.adapter_sha256} x{self.lora_scale:g}" if counts else ""


@dataclass(frozen=True, slots=True)
class Familiar:
    """How the footage that a model was trained on looks to it.

    Attributes:
        mean: Of each number that describes footage (`vidcli.methods.familiar`), over training.
        deviation: Of each of them.
        threshold: Distance beyond which footage is unlike all that.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Weights and vision projector of one model, with the digests that name their content.

    Attributes:
        weights: Language model GGUF (the first part of a split one).
        mmproj: Vision encoder and projector GGUF.
        weights_sha256: Hex digest of the weights file (all parts, in order, where split).
        mmproj_sha256: Hex digest of the projector file as given, before any derivation.
        name: What to call the pair in results.
        derived_mmproj: Projector file really loaded where one was derived (bf16, smaller input).
        derivation: What was changed: empty, `bf16`, `256px`, `bf16+256px`.
        adapter: LoRA adapter GGUF on the weights; None where there is none.
        adapter_sha256: Hex digest of it; empty where there is none.
        lora_scale: How strongly it counts: 1 as it was trained, 0 not at all.
        arrangement: What is made of a video's frames: `frames`, `pool`, `qformer`.
        sidecar: Weights of the Q-Former; None where there is none.
        sidecar_sha256: Hex digest of them; empty where there are none.
        familiar: How the footage that it knows looks; None where nothing is said.
        follows_instructions: Whether it does as it is told, and reads what it is given to read;
            else it has learnt forms of question about pictures and nothing beside.
    """

    weights: Path
    mmproj: Path
    weights_sha256: str
    mmproj_sha256: str
    name: str
    derived_mmproj: Path | None = None
    derivation: str = ""
    adapter: Path | None = None
    adapter_sha256: str = ""
    lora_scale: float = 1.0
    arrangement: str = "frames"
    sidecar: Path | None = None
    sidecar_sha256: str = ""
    familiar: Familiar | None = None
    follows_instructions: bool = True

    @property
    def adapter_key(self) -> str:
        """Names the adapter and how much it counts; empty where it changes nothing."""
        return self.language.adapter_key

    @property
    def language(self) -> LanguageFiles:
        """The language model alone."""
        return LanguageFiles(
            self.weights,
            self.weights_sha256,
            self.name,
            self.adapter,
            self.adapter_sha256,
            self.lora_scale,
            self.follows_instructions,
        )


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """Header of a GGUF file: its scalar keys and the shapes of its tensors, weights unread.

    Attributes:
        path: The file.
        keys: Every scalar key; arrays are left out except their length under `key + '#'`.
        tensors: Name to shape, outermost dimension first (numpy order).
        quant: Most common tensor type by elements, such as `Q8_0`.
        n_params: Elements in all tensors.
        size_bytes: File size.
    """

    path: Path
    keys: Mapping[str, Scalar] = field(repr=False)
    tensors: Mapping[str, tuple[int, ...]] = field(repr=False)
    quant: str
    n_params: int
    size_bytes: int

    @property
    def architecture(self) -> str:
        """`general.architecture`: `llama`, `clip` and the like."""
        return str(self.keys.get("general.architecture", ""))

    @property
    def projector(self) -> str:
        """`clip.projector_type`: `idefics3`, `qwen2vl_merger`…; empty for a language model."""
        value = self.keys.get(
            "clip.vision.projector_type", self.keys.get("clip.projector_type", "")
        )
        return str(value)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load a model; the defaults fit a laptop's processor.

    Attributes:
        n_ctx: Context cells, at least 256; 0 takes what the model was trained with.
        gpu_layers: Layers to offload; -1 takes all that fit, 0 none.
        main_gpu: Device number for the work that is not split.
        mmproj_gpu: Whether the vision encoder may use the GPU.
        threads: 0 takes the physical cores that are free.
        detail: How finely each frame is looked at.
    """

    n_ctx: int = 8192
    gpu_layers: int = -1
    main_gpu: int = 0
    mmproj_gpu: bool = True
    threads: int = 0
    detail: Detail = Detail.NORMAL


@dataclass(frozen=True, slots=True)
class ModelReport:
    """Which model really ran, and where."""

    name: str
    weights_sha256: str
    mmproj_sha256: str
    quant: str
    architecture: str
    projector: str
    backend: str
    gpu_layers: int
    derivation: str = ""
    adapter_sha256: str = ""
    lora_scale: float = 0.0
