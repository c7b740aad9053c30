"""Frames show what the scene says, where it says."""

import dataclasses

import numpy as np
import pytest

from tests.world.scenes import scenes
from vidcli.world import GENRES, Scene, render, track_objects
from vidcli.world.scene import Look

CLEAN = Look(noise=0.0, is_outlined=True, crf=20)


def clean(scene: Scene) -> Scene:
    return dataclasses.replace(scene, look=CLEAN)


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("size", [96, 128, 160])
def test_frames_have_the_promised_shape_and_are_repeatable(genre: str, size: int):
    scene = scenes("train", 200, genre)[7]
    frames = render(scene, scene.sample_times(6), size)
    assert frames.shape == (6, size, size, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, render(scene, scene.sample_times(6), size))


def without_actors(scene: Scene) -> Scene:
    shots = tuple(dataclasses.replace(shot, actors=()) for shot in scene.shots)
    return dataclasses.replace(scene, shots=shots)


@pytest.mark.parametrize("genre", ["one", "group", "pass", "turns", "cut", "camera"])
def test_an_object_is_drawn_inside_its_box_and_nowhere_else(genre: str):
    size = 128
    for scene in map(clean, scenes("train", 40, genre)):
        times = scene.sample_times(4)
        frames = render(scene, times, size)
        empty = render(without_actors(scene), times, size)
        tracks = track_objects(scene, times)
        for row, frame in enumerate(frames):
            changed = (np.abs(frame.astype(int) - empty[row]) > 40).any(axis=2)
            allowed = np.ones((size, size), bool)  # an outline may reach over the edge
            allowed[4:-4, 4:-4] = False
            for track in tracks:
                if not np.isnan(track.boxes[row, 0]):
                    left, top, right, bottom = (track.boxes[row] * size).round().astype(int)
                    allowed[max(0, top - 4) : bottom + 4, max(0, left - 4) : right + 4] = True
                    is_cut = (track.boxes[row] <= 0).any() or (track.boxes[row] >= 1).any()
                    assert is_cut or changed[top:bottom, left:right].any(), "the box is empty"
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


def test_the_background_goes_with_the_objects_under_a_panning_camera():
    shift, told = 4, 0
    for scene in map(clean, scenes("train", 200, "camera")):
        camera = scene.shots[0].camera
        if camera.move not in ("left", "right"):
            continue
        way = abs(camera.end[0] - camera.start[0]) * 96  # pixels, in the whole clip
        times = np.array([0.0, shift / way * scene.duration])
        before, after = render(without_actors(scene), times, 96).astype(int)
        gaps = {
            "left": np.abs(after[:, shift:] - before[:, :-shift]).mean(),
            "right": np.abs(after[:, :-shift] - before[:, shift:]).mean(),
        }
        other = "right" if camera.move == "left" else "left"
        assert gaps[camera.move] <= gaps[other] + 0.5
        told += gaps[camera.move] < 0.5 * gaps[other]
    assert told > 15


def test_noise_and_compression_spoil_the_picture_a_little():
    scene = next(scene for scene in scenes("train") if scene.look.noise > 3)
    times = scene.sample_times(3)
    plain = render(clean(scene), times, 96).astype(int)
    noisy = render(scene, times, 96).astype(int)
    pressed = render(scene, times, 96, compressed=True).astype(int)
    assert 1 < np.abs(noisy - plain).mean() < 10
    assert 0.5 < np.abs(pressed - noisy).mean() < 15
