"""How each model family wants a video written.

Chosen by the projector type in the mmproj, since that is what llama.cpp goes by too. A projector
without a profile of its own gets the generic one, which takes every wrapper token from mtmd.

Sources: SmolVLM2 video processor of transformers (`processing_smolvlm`: intro, time stamps, one
64-token image a frame); InternVL model cards (`Frame1: <image>`); Qwen3-VL technical report
(seconds as text before each temporal patch); Gemma 3 processor (blank lines around an image).
"""

from vidcli.core.profile import FamilyProfile

_PROFILES = {
    "idefics3": FamilyProfile(
        name="idefics3",
        version=2,
        intro="You are provided the following series of {frames_words} frames from a {duration}"
        " [H:MM:SS] video.\n",
        label="\nFrame from {time}:",
        frame_opening="<fake_token_around_image><global-img>",
        frame_closing="<fake_token_around_image>",
        overview_last=True,
        square=True,
        # mtmd looks these up whole and silently uses token -1 where one is absent.
        required_tokens=("<fake_token_around_image>", "<global-img>", "\n\n", "\n"),
    ),
    "mlp": FamilyProfile(name="llava", version=2, label="\nFrame at {time}: ", square=True),
    "internvl": FamilyProfile(
        name="internvl",
        version=2,
        intro="The video has {frames} frames, taken at {times}.\n",
        label="\nFrame{id}: ",
        outro="\n",
        overview_last=True,
        square=True,
        required_tokens=("<img>", "</img>"),
    ),
    "qwen2vl_merger": FamilyProfile(
        name="qwen2vl",
        version=1,
        label="\n[{time}] ",
        group=2,
        required_tokens=("<|vision_start|>", "<|vision_end|>"),
    ),
    "qwen2.5vl_merger": FamilyProfile(
        name="qwen25vl",
        version=1,
        label="\n[{time}] ",
        group=2,
        required_tokens=("<|vision_start|>", "<|vision_end|>"),
    ),
    "qwen3vl_merger": FamilyProfile(
        name="qwen3vl",
        version=1,
        label="<{seconds} seconds>",
        outro="",
        group=2,
        required_tokens=("<|vision_start|>", "<|vision_end|>"),
    ),
    "gemma3": FamilyProfile(
        name="gemma3",
        version=1,
        label="\n\nFrame at {time}:\n\n",
        outro="\n\n",
        square=True,
        required_tokens=("<start_of_image>", "<end_of_image>"),
    ),
    "gemma4v": FamilyProfile(
        name="gemma4",
        version=1,
        label="\n\nFrame at {time}:\n\n",
        required_tokens=("<|image>", "<image|>"),
    ),
    "resampler": FamilyProfile(
        name="minicpmv",
        version=2,
        label="\nFrame at {time}: ",
        square=True,
        required_tokens=("<image>", "</image>"),
    ),
    "lfm2": FamilyProfile(
        name="lfm2",
        version=1,
        label="\nFrame at {time}: ",
        required_tokens=("<|image_start|>", "<|image_end|>"),
    ),
    "pixtral": FamilyProfile(
        name="pixtral", version=1, label="\nFrame at {time}: ", required_tokens=("[IMG_END]",)
    ),
}


def choose_profile(projector: str) -> FamilyProfile:
    """The video recipe for a projector type, generic where the family has none of its own.

    Args:
        projector: `clip.projector_type` of the mmproj.
    """
    generic = FamilyProfile(
        name="generic",
        version=1,
        label="\nFrame at {time}: ",
        note=f"projector {projector!r} has no video recipe of its own: frames are shown as "
        "single pictures with their times",
    )
    return _PROFILES.get(projector, generic)
