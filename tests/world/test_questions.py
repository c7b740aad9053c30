"""Questions have the answers that the pictures give, forwards and backwards."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from tests.world.scenes import scenes
from vidcli.world import QUESTION_KINDS, Question, Scene, ask_questions, track_objects
from vidcli.world.groups import list_groups
from vidcli.world.vocabulary import COLOURS, SINGULARS, WAYS
from vidcli.world.wordings import WORDINGS

STEPS = 24


def asked(kind: str, split: str = "train", genre: str = "", count: int = 800):
    return [
        (scene, question)
        for scene in scenes(split, count, genre)  # type: ignore[arg-type]
        for question in ask_questions(scene)
        if question.kind == kind
    ]


def named(scene: Scene, text: str) -> list:
    """Boxes of the object that a question names, and how it is seen over time."""
    words = re.findall(r"[a-z]+", text.lower())
    kind = next(SINGULARS[word] for word in words if word in SINGULARS)
    colour = next((word for word in words if word in COLOURS), None)
    times = np.linspace(0, scene.duration, STEPS, endpoint=False)
    return [
        track
        for track in track_objects(scene, times)
        if track.actor.kind == kind and colour in (None, track.actor.colour)
    ]


def see_direction(boxes: np.ndarray) -> str:
    """Which way an object goes, from its boxes in order: by those sides that no edge cuts."""
    steps = []
    for axis in (0, 1):
        low, high = boxes[:, axis], boxes[:, axis + 2]
        near, far = low > 0.001, high < 0.999  # sides that are not cut
        step = np.where(near[1:] & near[:-1], np.diff(low), np.diff(high))
        steps.append(step[(near[1:] & near[:-1]) | (far[1:] & far[:-1])])
    ways = [float(np.abs(along).sum()) for along in steps]
    if min(ways) > 0.15:
        return "in a circle"
    axis = ways.index(max(ways))
    return (("to the left", "to the right"), ("up", "down"))[axis][int(steps[axis].sum() > 0)]


def test_all_kinds_of_questions_come_up_and_their_answers_are_among_the_options():
    kinds = Counter()
    for scene in scenes("eval"):
        for question in ask_questions(scene):
            kinds[question.kind] += 1
            assert question.answer in question.options
            assert question.reversed_answer in question.options
            assert len(set(question.options)) == len(question.options)
            assert question.text.endswith(("?", "."))
            assert "{" not in question.text
    assert set(kinds) == set(QUESTION_KINDS)


def test_directions_are_what_the_boxes_show_and_turn_with_the_clip():
    pairs = asked("direction", genre="one")
    assert len(pairs) > 300
    for scene, question in pairs:
        (track,) = named(scene, question.text)
        assert see_direction(track.boxes) == question.answer
        assert see_direction(track.boxes[::-1]) == question.reversed_answer
    counts = Counter(question.answer for _, question in pairs)
    assert set(counts) == set(WAYS.values())
    assert max(counts.values()) < 1.5 * min(counts.values())


@pytest.mark.parametrize("genre", ["order", "cut"])
def test_what_comes_first_is_what_is_seen_first_and_backwards_the_other(genre: str):
    pairs = asked("order", genre=genre, count=300)
    assert len(pairs) == 300
    firsts = 0
    for scene, question in pairs:
        one, two = (named(scene, option)[0] for option in question.options)
        seen = [np.flatnonzero(~np.isnan(track.boxes[:, 0])) for track in (one, two)]
        assert question.answer == question.options[int(seen[0][0] > seen[1][0])]
        assert question.reversed_answer == question.options[int(seen[0][-1] < seen[1][-1])]
        assert question.answer != question.reversed_answer
        firsts += question.answer == question.options[0]
    assert 100 < firsts < 200


def test_what_moves_first_moves_while_the_other_stands():
    for scene, question in asked("order", genre="turns", count=100):
        one, two = (named(scene, option)[0] for option in question.options)
        half = STEPS // 2
        early = [np.ptp(track.boxes[:half, :2], axis=0).max() for track in (one, two)]
        late = [np.ptp(track.boxes[half:, :2], axis=0).max() for track in (one, two)]
        assert question.answer == question.options[int(early[1] > early[0])]
        assert question.reversed_answer == question.options[int(late[1] > late[0])]


def test_counts_are_how_many_are_seen():
    pairs = asked("count", genre="group", count=400)
    counts = Counter(question.answer for _, question in pairs)
    assert min(counts.values()) > 70
    for scene, question in pairs:
        tracks = named(scene, question.text)
        assert len(tracks) == question.options.index(question.answer) + 1
        assert all(not np.isnan(track.boxes).any() for track in tracks), "out of the frame"


def test_presence_is_asked_as_often_of_what_is_there_as_of_what_is_not():
    pairs = asked("presence")
    answers = Counter(question.answer for _, question in pairs)
    assert answers["yes"] == answers["no"]
    near = 0
    for scene, question in pairs:
        assert bool(named(scene, question.text)) == (question.answer == "yes")
        if question.answer == "no":
            words = set(re.findall(r"[a-z]+", question.text.lower()))
            shown = {word for group in list_groups(scene) for word in group.first.name.split()}
            near += bool(words & shown)
    assert near > 0.5 * answers["no"], "most of what is not there should nearly be"


def test_looks_are_asked_of_what_they_are_unique_to():
    for scene, question in asked("object"):
        if any(colour in question.text for colour in COLOURS):
            (colour,) = (word for word in re.findall(r"[a-z]+", question.text) if word in COLOURS)
            groups = [group for group in list_groups(scene) if group.first.colour == colour]
        else:
            groups = list_groups(scene)
        (group,) = groups
        assert question.answer.split()[-1] == group.first.kind
    for scene, question in asked("colour"):
        (track,) = named(scene, question.text)
        assert question.answer == track.actor.colour


def test_positions_are_where_the_object_is():
    for scene, question in asked("position"):
        (track,) = named(scene, question.text)
        x, y = (track.boxes[0, :2] + track.boxes[0, 2:]) / 2 - 0.5
        seen = {"on the left": x < -0.1, "on the right": x > 0.1, "at the top": y < -0.1,
                "at the bottom": y > 0.1, "in the middle": max(abs(x), abs(y)) < 0.15}  # fmt: skip
        assert seen[question.answer]


def test_an_object_comes_in_and_goes_out_where_it_is_first_and_last_seen():
    for kind, last in (("entering", 0), ("leaving", -1)):
        for scene, question in asked(kind, genre="pass", count=150):
            (track,) = named(scene, question.text)
            seen = track.boxes[~np.isnan(track.boxes[:, 0])][last]
            gaps = dict(zip(("left", "top", "right", "bottom"),
                            (seen[0], seen[1], 1 - seen[2], 1 - seen[3]), strict=True))  # fmt: skip
            assert gaps[question.answer.split()[-1]] < 0.02


def test_wordings_kept_from_training_are_asked_outside_of_it_only_and_use_known_words():
    patterns = defaultdict(set)
    known = set()
    for seen, kept in WORDINGS.values():
        assert not set(seen) & set(kept)
        known |= {word for text in seen for word in re.findall(r"[\w{}]+", text.lower())}
        patterns["kept"] |= set(kept)
    for text in patterns["kept"]:
        assert set(re.findall(r"[\w{}]+", text.lower())) <= known, text

    def held(split: str) -> list[Question]:
        return [q for scene in scenes(split) for q in ask_questions(scene) if q.is_held_out]  # type: ignore[arg-type]

    assert not held("train")
    total = sum(len(ask_questions(scene)) for scene in scenes("eval"))
    assert 0.25 < len(held("eval")) / total < 0.42
