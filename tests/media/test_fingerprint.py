"""A fingerprint names content: not the file's name, not its date, and all of its parts."""

import os
import random

import pytest

from vidcli.media.fingerprint import EDGE_BYTES, fingerprint

LARGE = random.Random(3).randbytes(5 * EDGE_BYTES)


def test_a_copy_under_another_name_and_date_has_the_same(tmp_path):
    one, other = tmp_path / "one.mp4", tmp_path / "other.mkv"
    one.write_bytes(LARGE)
    other.write_bytes(LARGE)
    os.utime(other, (1, 1))
    assert fingerprint(str(one)) == fingerprint(str(other))
    assert len(fingerprint(str(one))) == 32


@pytest.mark.parametrize("place", [0, EDGE_BYTES - 1, len(LARGE) // 2 + 100_000, len(LARGE) - 1])
def test_a_change_at_the_ends_or_in_a_window_changes_it(tmp_path, place):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(LARGE)
    changed = bytearray(LARGE)
    # a window's worth of bytes, so that it meets one of the inner windows
    length = len(LARGE) // 8 if 0 < place < len(LARGE) - 1 else 1
    for at in range(place, min(place + length, len(LARGE))):
        changed[at] ^= 1
    other.write_bytes(changed)
    assert fingerprint(str(one)) != fingerprint(str(other))


def test_another_length_changes_it(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"")
    other.write_bytes(b"\0")
    assert fingerprint(str(one)) != fingerprint(str(other))


def test_a_small_file_is_read_whole(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(bytes(1_500_000))
    other.write_bytes(bytes(700_000) + b"\1" + bytes(799_999))
    assert fingerprint(str(one)) != fingerprint(str(other))
