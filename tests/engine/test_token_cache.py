import os
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.core.prompt import VisualTokens
from vidcli.core.time import Timestamp
from vidcli.engine.token_cache import SUFFIX, DiskTokenStore, TokenCache
from vidcli.engine.token_file import PREAMBLE, decode_entry, encode_entry

MANY = 1 << 30


def tokens(seed: int = 0, *, n_tokens: int = 16, dtype: type = np.float16) -> VisualTokens:
    random = np.random.default_rng(seed)
    return VisualTokens(random.standard_normal((n_tokens, 32)).astype(dtype), n_pos=n_tokens)


def at(seconds: int) -> tuple[tuple[Fraction, ...], tuple[Timestamp, ...]]:
    return (Fraction(seconds),), (Timestamp(seconds * 90000 + 7, Fraction(1, 90000)),)


def open_store(directory: Path, max_bytes: int = MANY, label: str = "clip.mp4") -> DiskTokenStore:
    return TokenCache(directory, max_bytes).open("video", "settings", label)


def fill(directory: Path, seconds: range) -> None:
    with open_store(directory) as store:
        for second in seconds:
            store.put(*at(second), tokens(second))


def only_file(directory: Path) -> Path:
    (path,) = directory.glob(f"*{SUFFIX}")
    return path


def found(directory: Path, seconds: range) -> list[int]:
    """Which seconds come back, each checked to be exactly what was put."""
    with open_store(directory) as store:
        hits = [(second, store.get(at(second)[0])) for second in seconds]
    for second, hit in hits:
        if hit is not None:
            assert hit[0] == at(second)[1]
            assert hit[1].digest == tokens(second).digest
    return [second for second, hit in hits if hit is not None]


@given(
    dtype=st.sampled_from([np.float16, np.float32]),
    n_tokens=st.integers(0, 5),
    n_pos=st.integers(0, 10),
    mrope=st.booleans(),
    grid=st.none() | st.tuples(st.integers(1, 9), st.integers(1, 9)),
    causal=st.booleans(),
    splits=st.lists(st.tuples(st.integers(0, 99), st.lists(st.integers(0, 99)).map(tuple))).map(
        tuple
    ),
    wrapper=st.lists(st.integers(0, 300_000), max_size=3).map(tuple),
    pts=st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=3),
    base=st.fractions(min_value=Fraction(1, 10**6), max_value=1).filter(bool),
)
def test_every_field_survives_the_disk(
    dtype: type,
    n_tokens: int,
    n_pos: int,
    mrope: bool,
    grid: tuple[int, int] | None,
    causal: bool,
    splits: tuple[tuple[int, tuple[int, ...]], ...],
    wrapper: tuple[int, ...],
    pts: list[int],
    base: Fraction,
) -> None:
    kept = VisualTokens(
        tokens(1, n_tokens=n_tokens, dtype=dtype).data,
        n_pos=n_pos,
        positions=np.arange(4 * n_tokens, dtype=np.int32).reshape(4, -1) if mrope else None,
        grid=grid,
        causal=causal,
        opening=wrapper,
        closing=wrapper[::-1],
        splits=splits,
    )
    times = tuple(Timestamp(tick, base) for tick in pts)
    back_times, back = decode_entry(encode_entry(times, kept))
    assert back_times == times
    assert (back.n_pos, back.grid, back.causal) == (n_pos, grid, causal)
    assert (back.opening, back.closing) == (kept.opening, kept.closing)
    assert back.splits == kept.splits
    assert back.data.dtype == kept.data.dtype
    np.testing.assert_array_equal(back.data, kept.data)
    assert (back.positions is None) == (not mrope or n_tokens == 0)
    if back.positions is not None and kept.positions is not None:
        np.testing.assert_array_equal(back.positions, kept.positions)


def test_tokens_come_back_in_a_later_process(tmp_path: Path) -> None:
    fill(tmp_path, range(64))
    assert found(tmp_path, range(70)) == list(range(64))


def test_tokens_are_readable_before_they_are_flushed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.put(*at(3), tokens(3))
        assert not list(tmp_path.iterdir())
        hit = store.get(at(3)[0])
        assert hit is not None
        assert hit[1].digest == tokens(3).digest


def test_merged_groups_are_found_by_all_their_instants(tmp_path: Path) -> None:
    pair = (Fraction(1, 3), Fraction(2, 3))
    with open_store(tmp_path) as store:
        store.put(pair, (Timestamp(1, Fraction(1, 3)), Timestamp(2, Fraction(1, 3))), tokens())
        store.flush()
        assert store.get(pair) is not None
        assert store.get(pair[:1]) is None


def test_other_settings_or_another_video_see_nothing(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    cache = TokenCache(tmp_path, MANY)
    for fingerprint, settings in (("video", "other"), ("other", "settings")):
        with cache.open(fingerprint, settings, "clip.mp4") as store:
            assert store.get(at(0)[0]) is None


def test_a_file_of_another_key_under_our_name_is_a_miss(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    path = only_file(tmp_path)
    with TokenCache(tmp_path, MANY).open("foreign", "settings", "x") as store:
        store.put(*at(0), tokens(0))
    (foreign,) = set(tmp_path.glob(f"*{SUFFIX}")) - {path}
    os.replace(foreign, path)
    assert found(tmp_path, range(2)) == []


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_gives_only_its_whole_entries(tmp_path: Path, share: float) -> None:
    fill(tmp_path, range(8))
    path = only_file(tmp_path)
    os.truncate(path, int(path.stat().st_size * share))
    assert found(tmp_path, range(8)) == list(range(8))[: len(found(tmp_path, range(8)))]
    assert len(found(tmp_path, range(8))) < 8
    fill(tmp_path, range(8))
    assert found(tmp_path, range(8)) == list(range(8))


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_never_changes_a_number(
    tmp_path_factory: pytest.TempPathFactory, where: float, bit: int
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    fill(directory, range(3))
    path = only_file(directory)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    assert len(found(directory, range(3))) < 3


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\0" * 100, b"vidcliVT" + b"\xff" * 12])
def test_a_foreign_file_is_a_miss_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    fill(tmp_path, range(1))
    only_file(tmp_path).write_bytes(content)
    assert found(tmp_path, range(1)) == []
    fill(tmp_path, range(1))
    assert found(tmp_path, range(1)) == [0]


@pytest.mark.parametrize("header", [b"[]", b"{}", b'{"key": 1}', b'{"entries": [{}]}', b"nonsense"])
def test_a_header_that_makes_no_sense_is_a_miss(tmp_path: Path, header: bytes) -> None:
    import zlib

    fill(tmp_path, range(1))
    preamble = PREAMBLE.pack(b"vidcliVT", 1, len(header), zlib.crc32(header))
    only_file(tmp_path).write_bytes(preamble + header)
    assert found(tmp_path, range(1)) == []
    assert TokenCache(tmp_path, MANY).usage()[0].label == ""


def test_a_damaged_entry_costs_only_itself(tmp_path: Path) -> None:
    fill(tmp_path, range(4))
    path = only_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # inside the last payload
    path.write_bytes(content)
    assert found(tmp_path, range(4)) == [0, 1, 2]
    fill(tmp_path, range(3, 4))
    assert found(tmp_path, range(4)) == [0, 1, 2, 3]


def test_two_writers_of_one_video_keep_both_their_frames(tmp_path: Path) -> None:
    with open_store(tmp_path) as one, open_store(tmp_path) as other:
        one.put(*at(1), tokens(1))
        other.put(*at(2), tokens(2))
    assert found(tmp_path, range(4)) == [1, 2]


def test_a_reader_keeps_its_file_while_a_writer_replaces_it(tmp_path: Path) -> None:
    fill(tmp_path, range(4))
    with open_store(tmp_path) as reader:
        fill(tmp_path, range(4, 8))
        TokenCache(tmp_path, MANY).clear()
        hit = reader.get(at(2)[0])
        assert hit is not None
        assert hit[1].digest == tokens(2).digest


def test_kill_9_between_flushes_loses_only_what_was_not_flushed(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from tests.engine.test_token_cache import at, open_store, tokens
        store = open_store(Path(sys.argv[1]))
        for second in range(4):
            store.put(*at(second), tokens(second))
        store.flush()
        store.put(*at(4), tokens(4))
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert found(tmp_path, range(5)) == [0, 1, 2, 3]


def test_a_directory_that_cannot_be_made_is_one_warning(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a directory")
    cache = TokenCache(blocker / "cache", MANY)
    with cache.open("video", "settings", "clip.mp4") as store:
        for second in range(3):
            store.put(*at(second), tokens(second))
            store.flush()
    assert len(cache.warnings) == 1
    assert "was not written" in cache.warnings[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_warning_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.fdopen
    monkeypatch.setattr("vidcli.core.files.os.fdopen", lambda d, m: (os.close(d), _full(m))[1])
    cache = TokenCache(tmp_path, MANY)
    with cache.open("video", "settings", "clip.mp4") as store:
        store.put(*at(0), tokens(0))
        store.flush()
        assert cache.warnings == (f"cache {tmp_path} was not written: the disk is full",)
        monkeypatch.setattr("vidcli.core.files.os.fdopen", real_open)
    assert not list(tmp_path.iterdir())


def _full(mode: str) -> object:
    return open("/dev/full", mode, buffering=0)


def test_the_least_recently_used_video_goes_first(tmp_path: Path) -> None:
    cache = TokenCache(tmp_path, MANY)
    for number, name in enumerate("abc"):
        with cache.open(name, "settings", f"{name}.mp4") as store:
            store.put(*at(0), tokens(0))
        os.utime(cache.usage()[0].path, (number, number))
    with cache.open("a", "settings", "a.mp4") as store:  # used again: now the newest
        assert store.get(at(0)[0]) is not None
    assert [entry.label for entry in cache.usage()] == ["a.mp4", "c.mp4", "b.mp4"]
    size = cache.usage()[0].size_bytes
    assert cache.prune(2 * size) == size
    assert [entry.label for entry in cache.usage()] == ["a.mp4", "c.mp4"]
    assert cache.clear() == 2 * size
    assert cache.usage() == []


def test_the_cache_stays_within_its_bound(tmp_path: Path) -> None:
    bound = 5000  # a file of one frame takes about 1.4 kB
    cache = TokenCache(tmp_path, bound)
    for name in "abcdefgh":
        with cache.open(name, "settings", name) as store:
            store.put(*at(0), tokens(0))
    sizes = [entry.size_bytes for entry in cache.usage()]
    assert bound / 2 < sum(sizes) <= bound
    assert cache.usage()[0].label == "h"


def test_a_video_larger_than_the_whole_cache_is_a_warning(tmp_path: Path) -> None:
    cache = TokenCache(tmp_path, 3000)
    with cache.open("video", "settings", "long.mkv") as store:
        for second in range(9):
            store.put(*at(second), tokens(second))
    assert cache.usage() == []
    assert len(cache.warnings) == 1
    assert "long.mkv" in cache.warnings[0]


def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, range(1))
    (tmp_path / "notes.txt").write_text("mine")
    old = tmp_path / f".0123456789{SUFFIX}.abc.tmp"
    fresh = tmp_path / f".9876543210{SUFFIX}.abc.tmp"
    for temporary in (old, fresh):
        temporary.write_text("left by a killed process, or being written")
    os.utime(old, (0, 0))
    TokenCache(tmp_path, MANY).clear()
    assert sorted(path.name for path in tmp_path.iterdir()) == [fresh.name, "notes.txt"]


def test_usage_of_a_cache_that_was_never_written_is_empty(tmp_path: Path) -> None:
    cache = TokenCache(tmp_path / "nothing", MANY)
    assert cache.usage() == []
    assert cache.prune(0) == 0
    assert cache.warnings == ()
