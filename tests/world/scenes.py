"""Scenes to test on: many of them, made once."""

from functools import cache

from vidcli.world import Scene, Split, make_scene


@cache
def scenes(split: Split, count: int = 800, genre: str = "") -> tuple[Scene, ...]:
    genres = [genre] if genre else None
    return tuple(make_scene(5, index, split, genres=genres) for index in range(count))
