"""Saying what a scene shows: captions in several wordings, timed events, facts to judge by."""

from collections.abc import Sequence
from dataclasses import dataclass

from vidcli.world.groups import Group, gate, list_groups
from vidcli.world.scene import Scene
from vidcli.world.vocabulary import DIGITS, WAYS

PROMPTS = (
    "Describe the video.",
    "What happens in the video?",
    "Describe what you see.",
    "Write a caption for the video.",
    "Write what happens in the video.",
    "Write what you see.",
    "Describe what you see in the video.",
    "What do you see in the video?",
    "Describe what happens.",
)
HELD_OUT_PROMPTS = ("Describe what happens in the video.", "Write what you see in the video.")

PLACES = {
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """What a right caption says of one group."""

    count: int
    colour: str
    kind: str
    motion: str | None  # None where no motion is told of: it appears, passes or is shown


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in `[start, end)`, in seconds, and how it is told."""

    start: float
    end: float
    text: str


def list_facts(scene: Scene) -> tuple[list[Fact], str | None]:
    """What a caption must say: of each group in order, and the word on the screen, if any."""
    tells_motion = scene.genre in ("one", "group", "turns")
    facts = [
        Fact(
            group.count,
            group.first.colour,
            group.first.kind,
            group.first.motion if tells_motion else None,
        )
        for group in list_groups(scene)
    ]
    writing = scene.shots[0].writing
    return facts, writing.text if writing else None


def list_phrases(scene: Scene) -> list[str]:
    """What a caption must say besides of its objects: where they pass, what the camera does."""
    if scene.genre == "pass":
        group = list_groups(scene)[0]
        return [_comes_in(group).removeprefix("comes "), _goes_out(group).removeprefix("goes ")]
    move = scene.shots[0].camera.move
    return [say_camera(move)] if move else []


def write_captions(scene: Scene) -> list[str]:
    """The scene in several wordings, the plainest first; all of them say all the facts.

    The last one is in a wording kept from training: for the split `train` it is left out.
    """
    groups = list_groups(scene)
    wordings = _WORDINGS.get(scene.genre, _tell_of_motion)(scene, groups)
    said = [_sentence(text) for text in wordings]
    return said[:-1] if scene.split == "train" else said


def list_events(scene: Scene) -> list[Event]:
    """What happens when, sorted by start; together they cover all that is told of."""
    groups = list_groups(scene)
    length = scene.duration
    if scene.genre == "order":
        return [Event(g.first.appears, g.first.vanishes, f"{g.phrase} is shown") for g in groups]
    if scene.genre == "cut":
        spans = zip(scene.shots, groups, strict=True)
        return [Event(shot.start, shot.end, f"{g.phrase} is shown") for shot, g in spans]
    if scene.genre == "turns":
        return [Event(g.first.path.times[0], g.first.path.times[-1], _clause(g)) for g in groups]
    if scene.genre == "pass":
        group, times = groups[0], groups[0].first.path.times
        return [
            Event(times[0], times[1], f"{group.phrase} {_comes_in(group)}"),
            Event(times[1], times[2], f"{group.phrase} stands still"),
            Event(times[2], times[3], f"{group.phrase} {_goes_out(group)}"),
        ]
    events = [Event(0.0, length, _clause(group)) for group in groups]
    if scene.shots[0].writing:
        events.append(Event(0.0, length, f"{_written(scene)} is shown"))
    if move := scene.shots[0].camera.move:
        events.append(Event(0.0, length, f"the camera {say_camera(move)}"))
    return events


def say_camera(move: str) -> str:
    """`pans to the left`, `zooms in`."""
    return f"pans {WAYS[move]}" if move in WAYS else f"zooms {move}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _tell_of_motion(scene: Scene, groups: Sequence[Group]) -> list[str]:
    plain = [_clause(group) for group in groups]
    doing = [f"{group.phrase} {_doing(group)}" for group in groups]
    being = [
        f"{group.phrase} {'is' if group.count == 1 else 'are'} {_doing(group)}" for group in groups
    ]
    return [
        _join(plain, ", and "),
        "the video shows " + _join(doing, " and "),
        _join(being, " while "),
        "there is " + _join(doing, " and ")
        if groups[0].count == 1
        else "there are " + _join(doing, " and "),
    ]


def _tell_of_order(scene: Scene, groups: Sequence[Group]) -> list[str]:
    first, second = (group.phrase for group in groups)
    return [
        f"{first} appears, then {second} appears",
        f"first {first} appears, then {second}",
        f"the video shows {first}, then {second}",
        f"first there is {first}, then {second} appears",
    ]


def _tell_of_turns(scene: Scene, groups: Sequence[Group]) -> list[str]:
    first, second = groups
    return [
        f"{_clause(first)}, then {_clause(second)}",
        f"first {_clause(first)}, then {_clause(second)}",
        f"the video shows {first.phrase} {_doing(first)}, then {second.phrase} {_doing(second)}",
        f"first {first.phrase} is {_doing(first)}, then {second.phrase} is {_doing(second)}",
    ]


def _tell_of_pass(scene: Scene, groups: Sequence[Group]) -> list[str]:
    group = groups[0]
    comes, goes = _comes_in(group), _goes_out(group)
    return [
        f"{group.phrase} {comes} and {goes}",
        f"{group.phrase} {comes}, then it {goes}",
        f"first {group.phrase} {comes}, then it {goes}",
        f"there is {group.phrase} that {comes} and {goes}",
    ]


def _tell_of_cuts(scene: Scene, groups: Sequence[Group]) -> list[str]:
    one, two, three = (group.phrase for group in groups)
    return [
        f"first {one} is shown, then {two}, then {three}",
        f"{one}, then {two}, then {three}",
        f"the video shows {one}, then {two}, then {three}",
        f"there is {one}, then {two}, then {three}",
    ]


def _tell_of_words(scene: Scene, groups: Sequence[Group]) -> list[str]:
    written = _written(scene)
    beside = f" with {groups[0].phrase}" if groups else ""
    last = (
        f"there is {groups[0].phrase} with {written}"
        if groups
        else f"the video shows {written} on the screen"
    )
    return [
        f"{written} is shown{beside}",
        f"the video shows {written}{beside}",
        f"{written} is on the screen{beside}",
        last,
    ]


def _tell_of_camera(scene: Scene, groups: Sequence[Group]) -> list[str]:
    things = _join([group.phrase for group in groups], " and ")
    says = say_camera(scene.shots[0].camera.move or "")
    over = {"zooms in": "on", "zooms out": "from"}.get(says, "over")
    return [
        f"the camera {says} {over} {things}",
        f"the video shows {things}, and the camera {says}",
        f"{things} while the camera {says}",
        f"there is {things}, and the camera {says}",
    ]


_WORDINGS = {
    "order": _tell_of_order,
    "turns": _tell_of_turns,
    "pass": _tell_of_pass,
    "cut": _tell_of_cuts,
    "word": _tell_of_words,
    "camera": _tell_of_camera,
}


def _clause(group: Group) -> str:
    s = "s" if group.count == 1 else ""
    motion = group.first.motion
    return (
        f"{group.phrase} stand{s} still"
        if motion == "still"
        else f"{group.phrase} move{s} {WAYS[motion]}"
    )


def _doing(group: Group) -> str:
    motion = group.first.motion
    return "standing still" if motion == "still" else f"moving {WAYS[motion]}"


def _comes_in(group: Group) -> str:
    return f"comes in from the {gate(group.first, at_start=True)}"


def _goes_out(group: Group) -> str:
    return f"goes out {PLACES[gate(group.first, at_start=False)]}"


def _written(scene: Scene) -> str:
    writing = scene.shots[0].writing
    assert writing is not None
    return f"the {'number' if writing.text in DIGITS else 'word'} {writing.text}"


def _join(parts: Sequence[str], last: str) -> str:
    if len(parts) < 3:
        return last.join(parts)
    return ", ".join(parts[:-1]) + (last if last.startswith(",") else f",{last}") + parts[-1]
