"""Frames show what the scene says, where it says."""

import numpy as np
import pytest

from tests.world.scenes import scenes
from vidcli.world import GENRES, Scene, render, track_objects
from vidcli.world.backgrounds import paint_background
from vidcli.world.scene import Look

CLEAN = Look(noise=0.0, is_outlined=True, crf=20)


def clean(scene: Scene) -> Scene:
    import dataclasses

    return dataclasses.replace(scene, look=CLEAN)


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("size", [96, 128, 160])
def test_frames_have_the_promised_shape_and_are_repeatable(genre: str, size: int):
    scene = scenes("train", 200, genre)[7]
    frames = render(scene, scene.sample_times(6), size)
    assert frames.shape == (6, size, size, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, render(scene, scene.sample_times(6), size))


def test_an_object_is_drawn_inside_its_box_and_nowhere_else():
    size = 128
    for scene in map(clean, scenes("train", 60, "one")):
        times = scene.sample_times(4)
        frames = render(scene, times, size)
        empty = paint_background(scene.shots[0].background, size=size, border=0.0)
        tracks = track_objects(scene, times)
        for row, frame in enumerate(frames):
            changed = (np.abs(frame.astype(int) - empty) > 40).any(axis=2)
            allowed = np.ones((size, size), bool)  # an outline may reach over the edge
            allowed[4:-4, 4:-4] = False
            for track in tracks:
                if not np.isnan(track.boxes[row, 0]):
                    left, top, right, bottom = (track.boxes[row] * size).round().astype(int)
                    allowed[max(0, top - 4) : bottom + 4, max(0, left - 4) : right + 4] = True
                    inside = changed[max(0, top) : bottom, max(0, left) : right]
                    assert inside.size < 12 or inside.any(), "the box is empty"
            assert not (changed & ~allowed).any()


def test_frames_do_not_depend_on_the_order_in_which_they_are_wanted():
    scene = clean(scenes("train", 200, "cut")[3])
    times = scene.sample_times(7)
    assert np.array_equal(render(scene, times, 96)[::-1], render(scene, times[::-1], 96))


def test_shots_change_the_picture_at_the_cut():
    scene = clean(scenes("train", 200, "cut")[5])
    cut = scene.shots[1].start
    before, after, later = render(scene, np.array([cut - 0.01, cut + 0.01, cut + 0.2]), 96)
    assert (before != after).any(axis=2).mean() > 0.5
    assert np.array_equal(after, later)


def test_the_camera_moves_what_is_seen_against_its_own_way():
    for scene in scenes("train", 200, "camera"):
        move = scene.shots[0].camera.move
        boxes = track_objects(scene, np.array([0.0, scene.duration - 0.01]))[0].boxes
        if np.isnan(boxes).any() or (boxes <= 0).any() or (boxes >= 1).any():
            continue  # cut at the edge: its size tells nothing
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        dx, dy = centres[1] - centres[0]
        grows = np.ptp(boxes[1, [0, 2]]) / np.ptp(boxes[0, [0, 2]])
        seen = {"left": dx > 0.1, "right": dx < -0.1, "up": dy > 0.1, "down": dy < -0.1,
                "in": grows > 1.1, "out": grows < 0.9}  # fmt: skip
        assert seen[move], move


def test_noise_and_compression_spoil_the_picture_a_little():
    scene = next(scene for scene in scenes("train") if scene.look.noise > 3)
    times = scene.sample_times(3)
    plain = render(clean(scene), times, 96).astype(int)
    noisy = render(scene, times, 96).astype(int)
    pressed = render(scene, times, 96, compressed=True).astype(int)
    assert 1 < np.abs(noisy - plain).mean() < 10
    assert 0.5 < np.abs(pressed - noisy).mean() < 15
