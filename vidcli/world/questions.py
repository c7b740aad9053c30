"""Questions about a scene, with their answers, their options and what a reversed clip would answer.

Which of the possible questions are put, and in which wording, is drawn from the scene's own seed;
yes and no, and both names of a question of order, come up equally often.
"""

import random
from dataclasses import dataclass

import numpy as np

from vidcli.world.captions import PLACES, say_camera
from vidcli.world.drawings import KINDS
from vidcli.world.groups import Group, gate, list_groups
from vidcli.world.scene import Scene
from vidcli.world.vocabulary import (
    COLOURS,
    DIGITS,
    MOTIONS,
    NUMBERS,
    OPPOSITE,
    SIDES,
    STRAIGHT,
    WAYS,
    WORDS,
    article,
    plural,
)
from vidcli.world.wordings import WORDINGS

QUESTION_KINDS = (
    "object",
    "colour",
    "count",
    "direction",
    "motion",
    "order",
    "presence",
    "word",
    "entering",
    "leaving",
    "position",
    "size",
    "camera",
)

OBJECTS = tuple(article(kind) for kind in KINDS)
DIRECTIONS = tuple(WAYS.values())
MOVES = ("it moves", "it stands still")
GATES = tuple(f"from the {side}" for side in SIDES)
SPOTS = (*PLACES.values(), "in the middle")
CAMERAS = tuple(f"it {say_camera(move)}" for move in (*STRAIGHT, "in", "out"))

HELD_OUT_SHARE = 1 / 3  # of the questions outside `train` that have a wording kept from training


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a clip.

    Attributes:
        kind: One of `QUESTION_KINDS`.
        options: All answers that a question of this kind and wording may have; `answer` is one.
        reversed_answer: The right answer when the clip runs backwards.
        is_held_out: Whether its wording never occurs in training.
    """

    kind: str
    text: str
    answer: str
    options: tuple[str, ...]
    reversed_answer: str
    is_held_out: bool = False


def ask_questions(scene: Scene, *, round: int = 0) -> list[Question]:
    """All kinds of questions that the scene can answer, one or two of each kind.

    Args:
        scene: The clip.
        round: Another round asks anew: in other wordings, or of other things.
    """
    asker = _Asker(scene, round)
    asker.ask_of_looks()
    asker.ask_of_motion()
    asker.ask_of_order()
    asker.ask_of_presence()
    asker.ask_of_the_rest()
    return asker.asked


class _Asker:
    """Puts questions about one scene, in an order that never changes."""

    def __init__(self, scene: Scene, round: int) -> None:
        self.scene = scene
        name = f"questions/{scene.seed}/{scene.index}/{scene.split}"
        self.rng = random.Random(f"{name}/{round}" if round else name)
        self.groups = list_groups(scene)
        self.asked: list[Question] = []

    def ask(
        self,
        topic: str,
        answer: str,
        options: tuple[str, ...],
        *,
        reversed_answer: str = "",
        wording: str = "",
        **words: str,
    ) -> None:
        """Put one question."""
        seen, kept = WORDINGS[wording or topic]
        is_kept = self.scene.split != "train" and self.rng.random() < HELD_OUT_SHARE
        text = self.rng.choice(kept if is_kept else seen).format(**words)
        question = Question(topic, text, answer, options, reversed_answer or answer, is_kept)
        self.asked.append(question)

    def ask_of_looks(self) -> None:
        """Object, colour and count."""
        for group in self.rng.sample(self.groups, len(self.groups))[:2]:
            one = group.first
            if group.count == 1 and self._is_only(colour=one.colour):
                alone = len(self.groups) == 1 and self.rng.random() < 0.5
                wording = "object alone" if alone else "object"
                self.ask("object", article(one.kind), OBJECTS, wording=wording, colour=one.colour)
            if self._is_only(kind=one.kind):
                kind = one.kind if group.count == 1 else plural(one.kind)
                if group.count == 1:
                    self.ask("colour", one.colour, tuple(COLOURS), kind=kind)
        if self.scene.genre == "group":
            group = next(group for group in self.groups if group.first.group == 0)
            one = group.first
            bare = self._is_only(kind=one.kind) and self.rng.random() < 0.3
            things = plural(one.kind) if bare else f"{one.colour} {plural(one.kind)}"
            self.ask("count", NUMBERS[group.count - 1], NUMBERS, things=things)

    def ask_of_motion(self) -> None:
        """Direction, and whether something moves at all."""
        if self.scene.genre != "one":
            return
        for group in self.groups:
            motion = group.first.motion
            name = self._name(group)
            if motion in WAYS:
                back = WAYS[OPPOSITE[motion]]
                self.ask("direction", WAYS[motion], DIRECTIONS, reversed_answer=back, name=name)
        group = next(group for group in self.groups if group.first.group == 0)
        is_still = group.first.motion == "still"
        if is_still or self.rng.random() < 1 / (len(MOTIONS) - 1):
            self.ask("motion", MOVES[is_still], MOVES, name=self._name(group))

    def ask_of_order(self) -> None:
        """Which of two comes or moves first; of three shots, the later two are asked about."""
        if self.scene.genre not in ("order", "turns", "cut"):
            return
        first, second = (f"the {group.first.name}" for group in self.groups[-2:])
        both = (first, second) if self.rng.random() < 0.5 else (second, first)
        wording = "order of moves" if self.scene.genre == "turns" else "order"
        one, two = (name.removeprefix("the ") for name in both)
        self.ask("order", first, both, reversed_answer=second, wording=wording, one=one, two=two)

    def ask_of_presence(self) -> None:
        """One thing that is there and one that is not, but nearly."""
        if not self.groups:
            return
        group = self.rng.choice(self.groups)
        bare = self.rng.random() < 0.3
        one = group.first
        self.ask("presence", "yes", ("yes", "no"), thing=article(one.kind if bare else one.name))
        self.ask("presence", "no", ("yes", "no"), thing=self._absent(bare=bare))

    def _absent(self, *, bare: bool) -> str:
        """A thing that is not there: mostly of a colour or kind that is."""
        names = {group.first.name for group in self.groups}
        kinds = {group.first.kind for group in self.groups}
        like = self.rng.choice(self.groups).first
        if bare:
            return article(self.rng.choice([kind for kind in KINDS if kind not in kinds]))
        share = self.rng.random()
        while True:
            colour = like.colour if share < 0.4 else self.rng.choice(list(COLOURS))
            kind = like.kind if share > 0.6 else self.rng.choice(KINDS)
            if f"{colour} {kind}" not in names:
                return article(f"{colour} {kind}")

    def ask_of_the_rest(self) -> None:
        """Words, sides, positions, sizes and the camera."""
        scene, groups = self.scene, self.groups
        if writing := scene.shots[0].writing:
            self.ask("word", writing.text, (*WORDS, *DIGITS))
        if scene.genre == "pass":
            actor = groups[0].first
            near, far = gate(actor, at_start=True), gate(actor, at_start=False)
            name = self._name(groups[0])
            self.ask(
                "entering", f"from the {near}", GATES, reversed_answer=f"from the {far}", name=name
            )
            self.ask(
                "leaving",
                PLACES[far],
                tuple(PLACES.values()),
                reversed_answer=PLACES[near],
                name=name,
            )
        if scene.genre in ("one", "word"):
            for group in groups:
                if place := _place(group):
                    self.ask("position", place, SPOTS, name=self._name(group))
        if scene.genre == "one" and len(groups) == 2:
            small, big = sorted(groups, key=lambda group: group.first.size)
            if big.first.size >= 1.35 * small.first.size:
                names = [group.first.name for group in self.rng.sample([small, big], 2)]
                options = (f"the {names[0]}", f"the {names[1]}")
                self.ask("size", f"the {big.first.name}", options, one=names[0], two=names[1])
        if move := scene.shots[0].camera.move:
            back = {"in": "out", "out": "in"}.get(move) or OPPOSITE[move]
            self.ask(
                "camera",
                f"it {say_camera(move)}",
                CAMERAS,
                reversed_answer=f"it {say_camera(back)}",
            )

    def _name(self, group: Group) -> str:
        """Colour and kind, or sometimes only the kind where there is no other of it."""
        bare = self.rng.random() < 0.25 and self._is_only(kind=group.first.kind)
        return group.first.kind if bare else group.first.name

    def _is_only(self, *, kind: str = "", colour: str = "") -> bool:
        """Whether one group alone has this kind or colour."""
        firsts = [group.first for group in self.groups]
        return sum(one.kind == kind or one.colour == colour for one in firsts) == 1


def _place(group: Group) -> str | None:
    """Where a still single object is, if that is beyond doubt."""
    actor = group.first
    if group.count > 1 or actor.motion != "still":
        return None
    x, y = (actor.path.at(np.zeros(1))[0] - 0.5).tolist()
    if max(abs(x), abs(y)) < 0.08:
        return "in the middle"
    if max(abs(x), abs(y)) < 0.17 or abs(abs(x) - abs(y)) < 0.12:
        return None
    if abs(x) > abs(y):
        return PLACES["left" if x < 0 else "right"]
    return PLACES["top" if y < 0 else "bottom"]
