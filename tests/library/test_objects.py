"""The object memory: what was where, and nothing but SELECT."""

import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidcli.core.time import Span, Timestamp
from vidcli.core.tracks import Box, Track
from vidcli.errors import UsageError
from vidcli.library.objects import ROWS_MAX, ObjectMemory, RememberedObject, write_memory
from vidcli.tools.association import associate
from vidcli.world import make_scene, track_objects

RATE = 12  # looks a second
HALF = Fraction(1, 2)


def tracks_of(index: int) -> tuple[list[Track], list[Fraction], Fraction]:
    """True tracks of a scene of the drawn world, its cuts, and its length."""
    scene = make_scene(seed=11, index=index, split="eval")
    ticks = range(int(scene.duration * RATE))
    found = []
    for truth in track_objects(scene, np.array([tick / RATE for tick in ticks])):
        boxes = tuple(
            Box(Timestamp(tick, Fraction(1, RATE)), float(x), float(y), float(r - x), float(b - y))
            for tick, (x, y, r, b) in zip(ticks, truth.boxes, strict=True)
            if not np.isnan(x) and r > x and b > y
        )
        if boxes:
            found.append(Track(f"{truth.actor.colour} {truth.actor.kind}", 1.0, boxes))
    cuts = [Fraction(shot.start).limit_denominator(1000) for shot in scene.shots]
    return found, cuts, Fraction(len(ticks), RATE)


def write(path: Path, tracks: list[Track], cuts: list[Fraction], length: Fraction) -> ObjectMemory:
    count = int(-(-length // HALF))
    spans = [Span(HALF * n, min(HALF * (n + 1), length)) for n in range(count)]
    objects = [RememberedObject(tuple(group)) for group in associate(tracks, cuts=cuts)]
    write_memory(path, objects, [(span, f"part {n}") for n, span in enumerate(spans, start=1)])
    return ObjectMemory(path)


@pytest.mark.parametrize("index", range(12))
def test_counts_of_the_drawn_world_are_its_own(index: int, tmp_path: Path) -> None:
    """A1.6: how many objects there are, and which segments hold one, equal the ground truth."""
    tracks, cuts, length = tracks_of(index)
    with write(tmp_path / "m.sqlite3", tracks, cuts, length) as memory:
        columns, rows, has_more = memory.query(
            "SELECT category, count(*) FROM objects GROUP BY category ORDER BY category"
        )
        labels = sorted({track.label for track in tracks})
        assert (columns, has_more) == (("category", "count(*)"), False)
        assert rows == [(name, sum(t.label == name for t in tracks)) for name in labels]
        for track in tracks:
            sql = (
                "SELECT s.start_s FROM segments s JOIN objects_segments j ON s.id = j.segment_id "
                f"JOIN objects o ON o.id = j.object_id WHERE o.category = '{track.label}' "
                "ORDER BY s.start_s"
            )
            same = [other for other in tracks if other.label == track.label]
            times = [box.time.seconds for other in same for box in other.boxes]
            wanted = sorted({float(time // HALF * HALF) for time in times})
            assert sorted({row[0] for row in memory.query(sql)[1]}) == wanted


def test_the_world_has_scenes_of_several_objects() -> None:
    """The test above is about more than one thing, and about some that are alike."""
    counts = [[track.label for track in tracks_of(index)[0]] for index in range(12)]
    assert max(map(len, counts)) >= 3
    assert any(len(set(labels)) < len(labels) for labels in counts)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ObjectMemory]:
    box = Box(Timestamp(0, Fraction(1)), 0.1, 0.1, 0.2, 0.2)
    track = Track("dog", 0.5, (box,))
    spans = [(Span(Fraction(n), Fraction(n + 1)), f"part {n}") for n in range(500)]
    write_memory(tmp_path / "m.sqlite3", [RememberedObject((track,))], spans)
    with ObjectMemory(tmp_path / "m.sqlite3") as opened:
        yield opened


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO objects VALUES (9, 'cat', 1, 0, 1)",
        "UPDATE objects SET category = 'cat'",
        "DELETE FROM objects",
        "DROP TABLE objects",
        "CREATE TABLE cats (id)",
        "CREATE TEMP TABLE cats AS SELECT * FROM objects",
        "CREATE VIEW cats AS SELECT * FROM objects",
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA query_only = 0",
        "PRAGMA table_info(objects)",
        "VACUUM INTO 'copy.sqlite3'",
        "BEGIN; DROP TABLE objects; COMMIT",
        "SELECT 1; DELETE FROM objects",
        "SELECT * FROM sqlite_master",
        "SELECT load_extension('x')",
        "SELECT randomblob(1000000)",
        "SELECT zeroblob(1000000)",
        "SELECT printf('%1000000d', 1)",
        "EXPLAIN SELECT 1",
        "",
        "-- nothing",
        "SELECT nothing FROM objects",
        "SELECT * FROM",
        "what is in the video?",
        "\x00",
    ],
)
def test_nothing_but_a_select_on_the_three_tables_runs(
    memory: ObjectMemory, tmp_path: Path, sql: str
) -> None:
    """A1.6: only SELECT runs, on a read-only connection."""
    before = (tmp_path / "m.sqlite3").read_bytes()
    with pytest.raises(UsageError):
        memory.query(sql)
    assert (tmp_path / "m.sqlite3").read_bytes() == before
    assert memory.query("SELECT count(*), max(category) FROM objects")[1] == [(1, "dog")]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["m.sqlite3"]


def test_the_file_itself_is_opened_read_only(memory: ObjectMemory) -> None:
    """A1.6: where the authorizer let a statement through, SQLite itself would refuse it."""
    memory._database.set_authorizer(None)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        memory._database.execute("DELETE FROM objects")


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT count(*) FROM segments a, segments b, segments c, segments d",
    ],
)
def test_an_endless_question_is_stopped(memory: ObjectMemory, sql: str) -> None:
    with pytest.raises(UsageError, match=r"takes too long|runs here"):
        memory.query(sql)
    assert memory.query("SELECT count(*) FROM segments")[1] == [(500,)]


def test_a_text_that_grows_without_end_is_stopped(memory: ObjectMemory) -> None:
    with pytest.raises(UsageError, match="too big"):
        memory.query("SELECT group_concat(a.caption || b.caption) FROM segments a, segments b")


def test_rows_are_bounded_and_that_is_told(memory: ObjectMemory) -> None:
    columns, rows, has_more = memory.query("SELECT id, caption FROM segments")
    assert (columns, len(rows), has_more) == (("id", "caption"), ROWS_MAX, True)
    exact = memory.query(f"SELECT id FROM segments LIMIT {ROWS_MAX}")
    assert (len(exact[1]), exact[2]) == (ROWS_MAX, False)
