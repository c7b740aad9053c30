"""How large a frame each encoder takes, read from its projector's header."""

from dataclasses import dataclass

from vidcli.core.model import Detail, GgufFacts
from vidcli.core.profile import FamilyProfile

NATIVE_TOKENS = {Detail.LOW: 64, Detail.NORMAL: 256, Detail.HIGH: 1024}  # where size is free
DEFAULT_PATCH = 14  # pixels a side
DEFAULT_MERGE = 2  # patches a side that become one token


@dataclass(frozen=True, slots=True)
class VisionInput:
    """The input of one vision encoder.

    Attributes:
        side: Pixels a side of its square; 0 where it takes any size.
        patch: Pixels a side of a patch.
        merge: Patches a side that become one token.
    """

    side: int
    patch: int
    merge: int

    @property
    def tile_tokens(self) -> int:
        """Tokens of one square tile."""
        return (self.side // self.patch // self.merge) ** 2


def read_vision_input(facts: GgufFacts, derivation: str) -> VisionInput:
    """Read an encoder's input from its projector.

    Args:
        facts: Header of the projector as given.
        derivation: What was changed of it, such as `bf16+256px`.
    """
    keys = facts.keys
    side = int(keys.get("clip.vision.image_size", 0))
    if derivation.endswith("px"):
        side = int(derivation.rpartition("+")[2].removesuffix("px"))
    merge = keys.get("clip.vision.spatial_merge_size", DEFAULT_MERGE)
    return VisionInput(
        side=side,
        patch=int(keys.get("clip.vision.patch_size", 0)) or DEFAULT_PATCH,
        merge=int(keys.get("clip.vision.projector.scale_factor", merge)),
    )


def choose_frame_size(
    vision: VisionInput,
    profile: FamilyProfile,
    detail: Detail,
    display_size: tuple[int, int],
    *,
    halvings: int = 0,
) -> tuple[int, int]:
    """Exact (width, height) that frames of a video should be decoded at.

    Families with a fixed input get its square (stretched, as their own video processors do);
    families with a free one get the video's shape at the detail's budget of tokens. High detail on
    a tiling family keeps the displayed size, which mtmd then cuts into tiles; halved, it is one
    tile as in normal detail.

    Args:
        vision: The encoder's input.
        profile: The family's recipe.
        detail: How finely to look.
        display_size: (width, height) of the video as shown.
        halvings: How often to halve the budget of tokens, where there is more than one tile.
    """
    if profile.square and vision.side:
        has_tiles = detail is Detail.HIGH and halvings == 0
        return display_size if has_tiles else (vision.side, vision.side)
    unit = vision.patch * vision.merge
    budget = NATIVE_TOKENS[detail] / 2**halvings
    shrink = min(1.0, (budget * unit * unit / (display_size[0] * display_size[1])) ** 0.5)
    width, height = (max(1, round(side * shrink / unit)) * unit for side in display_size)
    return width, height
