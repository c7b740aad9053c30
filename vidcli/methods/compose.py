"""From visual tokens to a prompt: a family's own video recipe, then the question."""

from collections.abc import Sequence
from fractions import Fraction

from vidcli.core.profile import FamilyProfile
from vidcli.core.prompt import ImagePart, Part, Prompt, SeenFrame, TextPart
from vidcli.core.protocols import Session

# fmt: off
ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
TENS = [
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]
# fmt: on


def compose_video(
    profile: FamilyProfile,
    images: Sequence[ImagePart],
    *,
    duration: Fraction | None,
    numbered: bool = False,
) -> tuple[Part, ...]:
    """Write the frames as this family wants a video written.

    Args:
        profile: The family's recipe.
        images: Frames or groups, in the order shown.
        duration: Of the video; the last frame's time stands in where it is unknown.
        numbered: Put each frame's id before its label, so that the model can cite it.

    Returns:
        Intro, then label and tokens of each frame, then outro; texts are special.
    """
    times = [frame.time.seconds for image in images for frame in image.frames]
    intro = write_intro(profile, times, duration=duration)
    parts: list[Part] = [TextPart(intro, special=True)] if intro else []
    for image in images:
        label = write_label(profile, image.frames, numbered=numbered)
        parts += [TextPart(label, special=True)] if label else []
        parts.append(image)
    return (*parts, TextPart(profile.outro, special=True)) if profile.outro else tuple(parts)


def write_intro(
    profile: FamilyProfile, times: Sequence[Fraction], *, duration: Fraction | None
) -> str:
    """The text before all frames: how many there are, and from when.

    Args:
        profile: The family's recipe.
        times: Of the frames, in seconds.
        duration: Of the video; the last frame's time stands in where it is unknown.
    """
    return profile.intro.format(
        frames=len(times),
        frames_words=spell_number(len(times)),
        duration=format_hms(times[-1] if duration is None else duration),
        times=", ".join(f"{float(time):.1f}s" for time in times),
    )


def write_label(
    profile: FamilyProfile, frames: Sequence[SeenFrame], *, numbered: bool = False
) -> str:
    """The text before one frame or group: its time as the family writes it, and its ids."""
    seconds = sum((frame.time.seconds for frame in frames), Fraction(0)) / len(frames)
    minutes, rest = divmod(int(frames[0].time.seconds), 60)
    label = profile.label.format(
        time=f"{minutes:02d}:{rest:02d}", seconds=f"{float(seconds):.1f}", id=frames[0].id
    )
    if not numbered:
        return label
    ids = ",".join(str(frame.id) for frame in frames)
    lead = label[: len(label) - len(label.lstrip("\n"))]
    return f"{lead}[{ids}] {label[len(lead) :]}"


def compose_prompt(
    session: Session,
    turns: Sequence[tuple[str, Sequence[Part]]],
    video: Sequence[Part],
    *,
    label: str = "",
) -> Prompt:
    """Put the video before the first user turn and render the conversation for the next reply.

    Args:
        session: Whose chat template to use.
        turns: (role, parts), oldest first; the first user turn gets the video.
        video: What `compose_video` wrote.
        label: What a person calls the video.

    Returns:
        A prompt whose shared part ends with the video.
    """
    roles = [role for role, _ in turns]
    first = roles.index("user")
    spoken = [
        (role, (*video, *parts) if i == first else tuple(parts))
        for i, (role, parts) in enumerate(turns)
    ]
    rendered = session.render_chat(spoken)
    ends = [i for i, part in enumerate(rendered) if part is video[-1]]
    return Prompt(tuple(rendered), n_shared=ends[-1] + 1, label=label)


def format_hms(seconds: Fraction) -> str:
    """Whole seconds as `H:MM:SS`, cut, as SmolVLM2's processor writes a duration."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def spell_number(n: int) -> str:
    """An English number word up to 999, digits beyond: 21 is `twenty-one`."""
    if not 0 <= n < 1000:
        return str(n)
    if n < 20:
        return ONES[n]
    if n < 100:
        tens, ones = divmod(n, 10)
        return TENS[tens] + (f"-{ONES[ones]}" if ones else "")
    hundreds, rest = divmod(n, 100)
    return f"{ONES[hundreds]} hundred" + (f" and {spell_number(rest)}" if rest else "")
