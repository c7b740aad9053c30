"""The journal knows what was done, from whatever process, and survives what happens to it."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from vidcli.library.journal import NAME, Journal, Record, Work, WrittenFile, digest_settings

WORK = Work("f" * 32, "s" * 32)
DOCUMENT = {"caption": "a dog", "video": {"path": "clip.mp4"}}


def test_what_is_finished_is_found_by_the_next_run(tmp_path: Path):
    with Journal(tmp_path) as journal:
        assert journal.find(WORK) is None
        journal.finish(WORK, "clip.mp4", Record(DOCUMENT, seconds=1.5))
    with Journal(tmp_path) as journal:
        assert journal.find(WORK) == Record(DOCUMENT, seconds=1.5)
        assert journal.find(Work(WORK.fingerprint, "other")) is None
        assert journal.find(Work("other", WORK.settings)) is None


def test_a_failure_is_kept_with_its_reason_until_it_is_done(tmp_path: Path):
    failure = Record(None, "clip.mp4 is broken", "repair it", 3)
    with Journal(tmp_path) as journal:
        journal.finish(WORK, "clip.mp4", failure)
        assert journal.find(WORK) == failure
        journal.finish(WORK, "clip.mp4", Record(DOCUMENT))
        assert journal.find(WORK) == Record(DOCUMENT)


def test_names_and_texts_that_are_no_utf8_are_kept(tmp_path: Path):
    path = os.fsdecode(b"/v/\xff\n.mp4")
    document = {"caption": "line\nline", "video": {"path": path}}
    with Journal(tmp_path) as journal:
        journal.finish(WORK, path, Record(document))
        assert journal.find(WORK) == Record(document)
        entry = WrittenFile("f", path, "r", "d")
        assert journal.claim_file(path, entry, instead_of=None)
        assert journal.find_file(path) == entry


def test_a_file_has_one_owner_however_many_want_it(tmp_path: Path):
    mine, yours = WrittenFile("1", "/a", "r", "d"), WrittenFile("2", "/b", "r", "d")
    with Journal(tmp_path) as first, Journal(tmp_path) as second:
        assert first.claim_file("/x.txt", mine, instead_of=None)
        assert not second.claim_file("/x.txt", yours, instead_of=None)
        assert second.claim_file("/x.txt", yours, instead_of=mine)
        assert not first.claim_file("/x.txt", mine, instead_of=mine)
        assert first.find_file("/x.txt") == yours


def test_settings_have_one_name_whatever_their_order():
    assert digest_settings({"a": 1, "b": [2, 3]}) == digest_settings({"b": [2, 3], "a": 1})
    assert digest_settings({"a": 1}) != digest_settings({"a": 2})


HOLD = """
import sys
from pathlib import Path
from vidcli.library.journal import Journal, Work
with Journal(Path(sys.argv[1])) as journal:
    with journal.hold(Work(sys.argv[2], "s"), wait=False) as held:
        print(held, flush=True)
        sys.stdin.read()
"""


def hold_elsewhere(folder: Path, fingerprint: str) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), fingerprint],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    return child


def test_work_that_another_process_has_is_held_until_it_ends_even_when_killed(tmp_path: Path):
    with hold_elsewhere(tmp_path, "f") as child, Journal(tmp_path) as journal:
        with journal.hold(Work("f", "s"), wait=False) as held:
            assert not held
        with journal.hold(Work("g", "s"), wait=False) as held:
            assert held
        child.send_signal(signal.SIGKILL)
        with journal.hold(Work("f", "s"), wait=True) as held:
            assert held


def test_a_damaged_journal_is_set_aside_and_said(tmp_path: Path):
    (tmp_path / NAME).write_bytes(b"no database" * 1000)
    with Journal(tmp_path) as journal:
        assert "damaged" in journal.warnings[0]
        journal.finish(WORK, "clip.mp4", Record(DOCUMENT))
    assert list(tmp_path.glob(f"{NAME}.damaged-*"))
    with Journal(tmp_path) as journal:
        assert (journal.warnings, journal.find(WORK)) == ([], Record(DOCUMENT))


def test_a_place_that_cannot_be_written_costs_the_memory_of_it_only(tmp_path: Path):
    (tmp_path / "file").touch()
    with Journal(tmp_path / "file" / "state") as journal:
        assert "cannot be kept" in journal.warnings[0]
        journal.finish(WORK, "clip.mp4", Record(DOCUMENT))
        assert journal.find(WORK) == Record(DOCUMENT)
        with journal.hold(WORK, wait=False) as held:
            assert held


def test_a_journal_of_another_version_is_left_alone(tmp_path: Path):
    with Journal(tmp_path) as journal:
        journal.finish(WORK, "clip.mp4", Record(DOCUMENT))
    database = sqlite3.connect(tmp_path / NAME)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with Journal(tmp_path) as journal:
        assert "another version" in journal.warnings[0]
        assert journal.find(WORK) is None
    assert not list(tmp_path.glob("*.damaged-*"))


MANY = """
import sys
from pathlib import Path
from vidcli.library.journal import Journal, Record, Work
for n in range(20):
    with Journal(Path(sys.argv[1])) as journal:
        journal.finish(Work(sys.argv[2] + str(n), "s"), "v", Record({"n": n}))
        sys.stderr.write("".join(journal.warnings))
"""


def test_processes_write_side_by_side(tmp_path: Path):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, str(tmp_path), name], stderr=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    for child in children:
        assert (child.communicate(timeout=60)[1], child.returncode) == ("", 0)
    with Journal(tmp_path) as journal:
        for name in "ab":
            found = [journal.find(Work(f"{name}{n}", "s")) for n in range(20)]
            assert [record and record.document for record in found] == [{"n": n} for n in range(20)]
