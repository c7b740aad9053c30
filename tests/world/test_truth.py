"""Captions, events and labels say what the scene holds."""

import numpy as np

from tests.world.scenes import scenes
from vidcli.world import (
    COLOURS,
    KINDS,
    LETTERS,
    dense_labels,
    list_events,
    track_objects,
    write_captions,
)
from vidcli.world.groups import list_groups

GRID = 8


def test_every_wording_names_every_group_and_the_word_on_the_screen():
    for scene in scenes("eval"):
        captions = write_captions(scene)
        assert len(set(captions)) == len(captions) >= 4
        for caption in captions:
            told = caption.lower()
            assert all(group.phrase in told for group in list_groups(scene)), caption
            if scene.shots[0].writing:
                assert scene.shots[0].writing.text in caption
            assert caption[0].isupper()
            assert caption.endswith(".")


def test_one_wording_of_captions_is_kept_from_training():
    for train, held in zip(scenes("train"), scenes("eval"), strict=True):
        assert len(write_captions(train)) == len(write_captions(held)) - 1


def test_events_lie_in_the_clip_and_tell_when_objects_are_there():
    for scene in scenes("train"):
        for event in list_events(scene):
            assert 0 <= event.start < event.end <= scene.duration + 1e-9
        if scene.genre == "order":
            for event, track in zip(
                list_events(scene), track_objects(scene, np.array([])), strict=True
            ):
                assert track.actor.name in event.text
                assert (event.start, event.end) == (track.actor.appears, track.actor.vanishes)


def test_patches_are_labelled_with_what_covers_them_and_where_its_centre_is():
    middles = (np.arange(GRID) + 0.5) / GRID
    for scene in scenes("train", 80, "one"):
        times = scene.sample_times(4)
        labels = dense_labels(scene, times, GRID)
        tracks = track_objects(scene, times)
        assert (labels.kinds > 0).any()
        assert ((labels.kinds > 0) == (labels.colours > 0)).all()
        for t, row, column in np.argwhere(labels.kinds > 0):
            kind = KINDS[labels.kinds[t, row, column] - 1]
            name = f"{COLOURS_OF[labels.colours[t, row, column] - 1]} {kind}"
            (track,) = [track for track in tracks if track.actor.name == name]
            centre = track.actor.path.at(times)[t]
            here = np.array([middles[column], middles[row]])
            assert np.allclose(labels.offsets[t, row, column], centre - here, atol=1e-5)
            left, top, right, bottom = track.boxes[t]
            half = 0.5 / GRID
            assert left - half <= here[0] <= right + half
            assert top - half <= here[1] <= bottom + half
            assert labels.sizes[t, row, column] == np.float32(track.actor.size)


COLOURS_OF = list(COLOURS)


def test_letters_are_labelled_from_left_to_right():
    for scene in scenes("train", 60, "word"):
        letters = dense_labels(scene, np.zeros(1), 16).letters[0]
        found = []
        for column in range(16):
            (rows,) = np.nonzero(letters[:, column])
            for number in dict.fromkeys(letters[rows, column].tolist()):
                letter = LETTERS[number - 1]
                if not found or found[-1] != letter:
                    found.append(letter)
        text = scene.shots[0].writing.text
        assert "".join(found) == "".join(
            letter for i, letter in enumerate(text) if i == 0 or text[i - 1] != letter
        )


def test_nothing_is_labelled_where_nothing_is():
    for scene in scenes("train", 40, "order"):
        labels = dense_labels(scene, np.array([0.0]), GRID)
        assert not labels.kinds.any()
        assert not labels.offsets.any()
