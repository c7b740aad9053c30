"""Scenes come from their seed alone, keep training and evaluation apart, and give nothing away."""

from collections import Counter

import numpy as np
import pytest

from tests.world.scenes import scenes
from vidcli.world import COLOURS, DIGITS, GENRES, KINDS, WORDS, Split, make_scene, track_objects
from vidcli.world.drawings import TRAINED_VARIANTS
from vidcli.world.lettering import HELD_OUT_FONTS, TRAINED_FONTS
from vidcli.world.vocabulary import HEADINGS, MOTIONS, STRAIGHT, is_held_out

FRAMES = 6
SPLITS: tuple[Split, ...] = ("train", "eval", "eval-drawings")


def actors(split: Split):
    return [actor for scene in scenes(split) for shot in scene.shots for actor in shot.actors]


def test_a_scene_depends_on_its_seed_and_its_number_alone():
    alone = make_scene(5, 400)
    assert alone == scenes("train")[400]
    assert make_scene(6, 400) != alone
    assert make_scene(5, 400, "eval") != alone


def test_everything_there_is_to_learn_comes_up():
    shown = actors("train")
    assert {actor.kind for actor in shown} == set(KINDS)
    assert {actor.colour for actor in shown} == set(COLOURS)
    assert {actor.motion for actor in shown} == set(MOTIONS)
    assert {scene.genre for scene in scenes("train")} == set(GENRES)
    assert {shot.background.style for scene in scenes("train") for shot in scene.shots} == {
        "plain", "gradient", "texture", "landscape", "room",
    }  # fmt: skip
    moves = {scene.shots[0].camera.move for scene in scenes("train", 200, "camera")}
    assert moves == {*STRAIGHT, "in", "out"}
    written = {scene.shots[0].writing.text for scene in scenes("train", 600, "word")}
    assert written > set(DIGITS)
    assert written <= {*WORDS, *DIGITS}
    counts = Counter(
        sum(actor.group == 0 for actor in scene.shots[0].actors)
        for scene in scenes("train", 400, "group")
    )
    assert set(counts) == {1, 2, 3, 4}
    assert min(counts.values()) > 70


def test_every_kind_and_motion_keeps_one_colour_from_training():
    for kind in KINDS:
        for motion in MOTIONS:
            assert sum(is_held_out(kind, colour, motion) for colour in COLOURS) == 1
        for colour in COLOURS:
            assert sum(is_held_out(kind, colour, motion) for motion in MOTIONS) <= 1


def test_combinations_drawings_and_letters_kept_from_training_are_shown_in_their_split_only():
    for actor in actors("train"):
        assert not is_held_out(actor.kind, actor.colour, actor.motion)
        assert actor.variant < TRAINED_VARIANTS
    for actor in actors("eval"):
        assert is_held_out(actor.kind, actor.colour, actor.motion)
        assert actor.variant < TRAINED_VARIANTS
    assert all(actor.variant >= TRAINED_VARIANTS for actor in actors("eval-drawings"))
    for split, fonts in (("train", TRAINED_FONTS), ("eval", TRAINED_FONTS),
                         ("eval-drawings", HELD_OUT_FONTS)):  # fmt: skip
        shown = {scene.shots[0].writing.font for scene in scenes(split, 60, "word")}
        assert shown == set(fonts)


@pytest.mark.parametrize("axis", [0, 1])
def test_no_single_frame_tells_the_direction(axis: int):
    """Wherever the best border lies, one frame's position guesses no better than by chance."""
    places: dict[str, list[np.ndarray]] = {motion: [] for motion in STRAIGHT}
    facing: dict[str, list[bool]] = {motion: [] for motion in STRAIGHT}
    for scene in scenes("train", 3000, "one"):
        actor = scene.shots[0].actors[0]
        if actor.motion in STRAIGHT:
            places[actor.motion].append(actor.path.at(scene.sample_times(FRAMES))[:, axis])
            facing[actor.motion].append(actor.mirrored)
    away, back = (("left", "right"), ("up", "down"))[axis]
    one, two = np.array(places[away]), np.array(places[back])
    for frame in range(FRAMES):
        borders = np.linspace(0, 1, 21)
        gaps = [abs((one[:, frame] < x).mean() - (two[:, frame] < x).mean()) for x in borders]
        assert max(gaps) < 0.12, f"frame {frame} guesses {50 + 50 * max(gaps):.0f} %"
    assert abs(np.mean(facing[away]) - np.mean(facing[back])) < 0.12


def test_straight_motions_show_their_way_between_frames():
    for scene in scenes("train", 300, "one"):
        actor = scene.shots[0].actors[0]
        if actor.motion not in STRAIGHT:
            continue
        steps = np.diff(actor.path.at(scene.sample_times(FRAMES)), axis=0)
        along = steps @ np.array(HEADINGS[actor.motion])
        ordinary = along[np.abs(along) < 0.5]  # not the leap from one side to the other
        assert len(ordinary) >= FRAMES - 2
        assert (ordinary > 0.05).all()


def test_objects_never_cover_one_another():
    for scene in scenes("train", 300):
        times = np.linspace(0, scene.duration, 9, endpoint=False)
        boxes = np.stack(
            [track.boxes for track in track_objects(scene, times)] or [np.zeros((9, 4))]
        )
        for frame in boxes.transpose(1, 0, 2):
            seen = frame[~np.isnan(frame[:, 0])]
            for i, one in enumerate(seen):
                for two in seen[i + 1 :]:
                    wide = min(one[2], two[2]) - max(one[0], two[0])
                    high = min(one[3], two[3]) - max(one[1], two[1])
                    assert min(wide, high) < 0.05, scene


@pytest.mark.parametrize("genre", ["order", "pass"])
def test_what_comes_and_goes_is_neither_in_the_first_nor_in_the_last_frame(genre: str):
    for scene in scenes("train", 200, genre):
        for count in (6, 8):
            times = scene.sample_times(count)[[0, -1]]
            assert all(np.isnan(track.boxes).all() for track in track_objects(scene, times))


def test_genres_and_lengths_can_be_chosen():
    for scene in (make_scene(1, i, genres=["cut"], seconds=(3, 4)) for i in range(20)):
        assert scene.genre == "cut"
        assert 3 <= scene.duration <= 4
        assert len(scene.shots) == 3
        assert scene.shots[0].start == 0
        assert scene.shots[-1].end == scene.duration
