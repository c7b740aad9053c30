"""Pieces are on disk when they are kept, survive a kill, and never stop a run."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from vidcli.library.segments import NAME, SegmentStore

PIECE = {"caption": "Ein Ball 🎥", "n": [1]}


def test_what_is_kept_is_found_by_its_video_and_key(tmp_path: Path):
    with SegmentStore(tmp_path) as store:
        store.of("aa").put("k", PIECE)
        assert store.of("aa").get("k") == PIECE
        assert store.of("ab").get("k") is None
        assert store.of("aa").get("other") is None
    with SegmentStore(tmp_path) as store:
        assert store.of("aa").get("k") == PIECE
        assert store.warnings == []


def test_anew_finds_only_what_it_kept_itself(tmp_path: Path):
    with SegmentStore(tmp_path) as store:
        store.of("aa").put("k", {"n": 1})
        pieces = store.of("aa", anew=True)
        assert pieces.get("k") is None
        pieces.put("k", {"n": 2})
        assert pieces.get("k") == store.of("aa").get("k") == {"n": 2}


def test_the_oldest_pieces_go_first(tmp_path: Path):
    with SegmentStore(tmp_path) as store:
        for n in range(6):
            store.of("aa").put(str(n), {"n": n})
            time.sleep(0.002)
    with SegmentStore(tmp_path, most=3) as store:
        found = [store.of("aa").get(str(n)) for n in range(6)]
    assert found == [None, None, None, {"n": 3}, {"n": 4}, {"n": 5}]


def test_a_killed_process_has_lost_nothing(tmp_path: Path):
    script = (
        "import os, sys, pathlib; from vidcli.library.segments import SegmentStore\n"
        "pieces = SegmentStore(pathlib.Path(sys.argv[1])).of('aa')\n"
        "for n in range(3): pieces.put(str(n), {'n': n})\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -9
    with SegmentStore(tmp_path) as store:
        assert [store.of("aa").get(str(n)) for n in range(3)] == [{"n": n} for n in range(3)]


def test_a_damaged_store_is_set_aside_and_said(tmp_path: Path):
    (tmp_path / NAME).write_bytes(b"no database" * 1000)
    with SegmentStore(tmp_path) as store:
        assert "the store of segment captions was damaged" in store.warnings[0]
        store.of("aa").put("k", PIECE)
        assert store.of("aa").get("k") == PIECE
    assert list(tmp_path.glob(f"{NAME}.damaged-*"))


def test_damage_that_shows_later_costs_pieces_and_no_run(tmp_path: Path):
    with SegmentStore(tmp_path) as store:
        for n in range(200):
            store.of("aa").put(str(n), {"text": "x" * 500})
    content = bytearray((tmp_path / NAME).read_bytes())
    content[8192:-8192] = b"\xff" * (len(content) - 16384)
    (tmp_path / NAME).write_bytes(content)
    with SegmentStore(tmp_path) as store:
        found = [store.of("aa").get(str(n)) for n in range(200)]
        store.of("aa").put("0", PIECE)
        assert store.warnings
    assert None in found


def test_a_piece_that_is_no_json_is_none(tmp_path: Path):
    with SegmentStore(tmp_path) as store:
        store.of("aa").put("k", PIECE)
    database = sqlite3.connect(tmp_path / NAME)
    database.execute("UPDATE pieces SET value = '{'")
    database.commit()
    database.close()
    with SegmentStore(tmp_path) as store:
        assert store.of("aa").get("k") is None


def test_where_none_can_be_kept_work_goes_on_and_says_so(tmp_path: Path):
    (tmp_path / "state").write_text("a file, not a folder")
    with SegmentStore(tmp_path / "state") as store:
        assert "cannot be kept" in store.warnings[0]
        store.of("aa").put("k", PIECE)
        assert store.of("aa").get("k") == PIECE


def test_a_store_locked_by_another_process_is_waited_for_and_then_said(tmp_path: Path, monkeypatch):
    from vidcli.library import database

    with SegmentStore(tmp_path):
        pass
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with SegmentStore(tmp_path) as store:
            store.of("aa").put("k", PIECE)
            assert any("locked" in warning for warning in store.warnings)
    finally:
        other.close()
