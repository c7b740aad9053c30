"""What the synthetic world says of patches and visual tokens is what its pictures show."""

import random

import numpy as np
import pytest

from vidcli.train.world.crowd import OBJECTS, make_crowd
from vidcli.train.world.motion import label_tokens
from vidcli.train.world.settings import LanguageConfig, VisionConfig
from vidcli.train.world.views import TEXTS, label_patches, make_held_out, make_views, shoot
from vidcli.world import COLOURS, KINDS, make_scene
from vidcli.world.groups import list_groups
from vidcli.world.vocabulary import MOTIONS, is_held_out

SMALL = VisionConfig(steps=1, crowds=3, scenes=2, views=2)


def test_a_step_gives_the_same_pictures_and_another_gives_others():
    first, again, other = (make_views(SMALL, n, side=48, grid=4) for n in (7, 7, 8))
    assert first.frames.shape == (3 + 2 * 2, 48, 48, 3)
    assert np.array_equal(first.frames, again.frames)
    assert np.array_equal(first.labels.kinds, again.labels.kinds)
    assert not np.array_equal(first.frames, other.frames)


def test_crowds_hold_many_objects_that_do_not_cover_each_other():
    counts = []
    for index in range(30):
        actors = make_crowd(1, index).shots[0].actors
        counts.append(len(actors))
        assert len({actor.name for actor in actors}) == len(actors)
    assert np.mean(counts) > 4
    assert max(counts) <= OBJECTS


def test_crowds_show_nothing_that_is_held_out_of_every_motion():
    """Still pictures are cast in all motions, so that every colour of every kind is seen."""
    seen = {a.name for i in range(400) for a in make_crowd(3, i).shots[0].actors}
    assert len(seen) > 0.9 * len(KINDS) * len(COLOURS)


def test_offsets_lead_from_the_patch_to_the_object():
    scene = make_scene(5, 3, genres=("one",))
    times = scene.sample_times(4)
    labels = label_patches(scene, times, 8)
    middles = (np.arange(8) + 0.5) / 8
    centres = np.stack(np.meshgrid(middles, middles), 2).reshape(-1, 2)
    for group in list_groups(scene):
        actor = group.first
        mine = labels.kinds == 1 + KINDS.index(actor.kind)
        for row, time in enumerate(times):
            found = (centres + labels.offsets[row])[mine[row]]
            expected = actor.path.at(np.array([time]))[0]
            assert np.allclose(found, expected, atol=1e-5)


def test_words_are_told_where_their_letters_are():
    scene = make_scene(6, 0, genres=("word",))
    labels = label_patches(scene, scene.sample_times(1), 8)
    text = scene.shots[0].writing.text
    assert set(labels.words[labels.letters > 0]) == {TEXTS[text]}
    assert not labels.words[labels.letters == 0].any()


@pytest.mark.parametrize("motion", ["left", "right", "up", "down"])
def test_shifts_point_where_the_object_goes(motion):
    """Also across the edge, where the object comes in again on the other side."""
    for index in range(200):
        scene = make_scene(8, index, genres=("one",))
        actor = list_groups(scene)[0].first
        if actor.motion != motion:
            continue
        labels = label_tokens(scene, scene.sample_times(6), 4)
        mine = labels.is_shifted & (labels.kinds == 1 + KINDS.index(actor.kind))
        if not mine.any():
            continue
        axis, sign = (0, 1) if motion in ("left", "right") else (1, 1)
        sign = -1 if motion in ("left", "up") else 1
        assert (labels.shifts[mine][:, axis] * sign > 0).all()
        assert (labels.motions[mine] == 1 + MOTIONS.index(motion)).all()
        return
    pytest.fail("no such clip")


def test_ranks_follow_the_order_of_appearance():
    scene = make_scene(9, 0, genres=("order",))
    labels = label_tokens(scene, scene.sample_times(6), 4)
    first, second = sorted(list_groups(scene), key=lambda group: group.first.appears)
    for rank, group in enumerate((first, second)):
        mine = labels.kinds == 1 + KINDS.index(group.first.kind)
        assert set(labels.ranks[mine]) <= {rank}


def test_frames_of_training_are_shot_at_the_model_s_size():
    rng = random.Random(0)
    scene = make_scene(1, 1)
    sides = {shoot(scene, scene.sample_times(2), rng, side=48).shape for _ in range(12)}
    assert sides == {(2, 48, 48, 3)}


def test_held_out_frames_show_held_out_combinations():
    for index in range(20):
        for group in list_groups(make_scene(SMALL.eval_seed, index, "eval")):
            first = group.first
            assert is_held_out(first.kind, first.colour, first.motion)
    batch = make_held_out(SMALL, "eval", range(3), side=48, grid=4)
    assert len(batch.frames) == 3 * SMALL.views


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"dtype": "float16"}, "dtype is"),
        ({"steps": 0}, "above 0"),
        ({"seed": 999}, "seed of their own"),
        ({"vision": "open"}, "vision is one of"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        LanguageConfig(**{"steps": 2, **wrong})


def test_how_a_run_is_saved_is_no_part_of_its_name():
    base = LanguageConfig(steps=2)
    assert base.digest() == LanguageConfig(steps=2, ahead=4, checkpoint_steps=7).digest()
    assert base.digest() != LanguageConfig(steps=3).digest()
