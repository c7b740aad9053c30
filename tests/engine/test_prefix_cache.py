import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.engine.context import KvContext
from vidcli.engine.prefix_cache import SUFFIX, PrefixCache
from vidcli.engine.weights import Weights

MANY = 1 << 40
STATE = bytes(range(256)) * 20


def write(cache: PrefixCache, key: str = "key", state: bytes = STATE, label: str = "") -> bool:
    with cache.path_for_writing(key) as draft:
        assert draft is not None
        draft.path.write_bytes(state)
        return draft.commit(n_past=7, n_cells=9, label=label, extra={"kv": "f16"})


def only_file(directory: Path) -> Path:
    (path,) = directory.glob(f"*{SUFFIX}")
    return path


@given(state=st.binary(max_size=400))
def test_a_snapshot_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, state: bytes
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    assert write(PrefixCache(directory, MANY), state=state)
    snapshot = PrefixCache(directory, MANY).lookup("key")
    assert snapshot is not None
    assert (snapshot.n_past, snapshot.n_cells, snapshot.extra) == (7, 9, {"kv": "f16"})
    assert snapshot.path.read_bytes()[: len(state)] == state


def test_a_state_larger_than_one_block_is_verified_whole(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    write(cache, state=b"x" * (3 << 20))
    assert cache.lookup("key") is not None
    with only_file(tmp_path).open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"y")
    assert cache.lookup("key") is None


def test_another_key_is_a_miss(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    write(cache)
    assert cache.lookup("other") is None
    assert cache.lookup("key") is not None


def test_a_snapshot_under_a_foreign_name_is_a_miss_and_removed(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    write(cache, "key")
    path = only_file(tmp_path)
    write(cache, "other")
    (other,) = set(tmp_path.glob(f"*{SUFFIX}")) - {path}
    os.replace(other, path)
    assert cache.lookup("key") is None
    assert not path.exists()


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_snapshot_is_a_miss_and_removed(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    cache = PrefixCache(directory, MANY)
    write(cache)
    path = only_file(directory)
    os.truncate(path, int(share * path.stat().st_size))
    assert cache.lookup("key") is None
    assert not path.exists()


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_a_miss_and_removed(
    tmp_path_factory: pytest.TempPathFactory, where: float, bit: int
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    cache = PrefixCache(directory, MANY)
    write(cache)
    path = only_file(directory)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    assert cache.lookup("key") is None
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"GGSQ", STATE, STATE + b"more"])
def test_a_bare_state_file_never_reaches_llama_cpp(tmp_path: Path, content: bytes) -> None:
    cache = PrefixCache(tmp_path, MANY)
    write(cache)
    only_file(tmp_path).write_bytes(content)
    assert cache.lookup("key") is None


def test_a_draft_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    with cache.path_for_writing("key") as draft:
        assert draft is not None
        draft.path.write_bytes(STATE)
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt), cache.path_for_writing("key"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_kill_9_while_writing_leaves_the_old_snapshot(tmp_path: Path) -> None:
    write(PrefixCache(tmp_path, MANY))
    script = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from vidcli.engine.prefix_cache import PrefixCache
        with PrefixCache(Path(sys.argv[1]), 1 << 40).path_for_writing("key") as draft:
            draft.path.write_bytes(b"half a state")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert PrefixCache(tmp_path, MANY).lookup("key") is not None


def test_the_later_of_two_writers_wins_whole(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    with cache.path_for_writing("key") as one, cache.path_for_writing("key") as other:
        assert one is not None
        assert other is not None
        one.path.write_bytes(b"one")
        other.path.write_bytes(b"other")
        assert one.commit(n_past=1, n_cells=1)
        assert other.commit(n_past=2, n_cells=2)
    snapshot = cache.lookup("key")
    assert snapshot is not None
    assert snapshot.n_past == 2
    assert snapshot.path.read_bytes().startswith(b"other")


def test_a_directory_that_cannot_be_made_is_one_warning(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a directory")
    cache = PrefixCache(blocker / "cache", MANY)
    for _ in range(2):
        with cache.path_for_writing("key") as draft:
            assert draft is None
    assert len(cache.warnings) == 1
    assert cache.lookup("key") is None


def test_a_state_that_was_never_written_is_a_warning(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    with cache.path_for_writing("key") as draft:
        assert draft is not None
        draft.path.unlink()
        assert not draft.commit(n_past=1, n_cells=1)
    assert len(cache.warnings) == 1


def test_a_snapshot_larger_than_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, 1000)
    assert not write(cache)
    assert len(cache.warnings) == 1
    assert not list(tmp_path.iterdir())


def test_the_least_recently_used_snapshot_goes_first(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, MANY)
    for number, key in enumerate("abc"):
        write(cache, key, label=f"{key}.mp4")
        os.utime(cache.usage()[0].path, (number, number))
    assert cache.lookup("a") is not None
    assert [entry.label for entry in cache.usage()] == ["a.mp4", "c.mp4", "b.mp4"]
    cache.prune(cache.usage()[0].size_bytes)
    assert [cache.lookup(key) is not None for key in "abc"] == [True, False, False]
    cache.discard("a")
    assert cache.usage() == []


def test_writing_keeps_the_cache_within_its_bound(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, 3 * len(STATE))
    for key in "abcdef":
        assert write(cache, key)
    assert sum(entry.size_bytes for entry in cache.usage()) <= 3 * len(STATE)
    assert cache.lookup("f") is not None


def test_llama_cpp_continues_from_a_snapshot_as_if_it_had_never_stopped(
    tmp_path: Path, byte_weights: Weights
) -> None:
    video, question = byte_weights.tokenize("a video", special=False), [9, 8, 7]
    cache = PrefixCache(tmp_path, MANY)
    with KvContext(byte_weights, n_ctx=256, threads=1) as context:
        context.decode(video, 0)
        with cache.path_for_writing("key") as draft:
            assert draft is not None
            context.save(draft.path)
            assert draft.commit(n_past=len(video), n_cells=len(video))
        context.decode(question, len(video))
        uninterrupted = context.logits().copy()
    with KvContext(byte_weights, n_ctx=256, threads=1) as context:
        snapshot = cache.lookup("key")
        assert snapshot is not None
        assert context.load(snapshot.path)
        context.decode(question, snapshot.n_past)
        np.testing.assert_array_equal(context.logits(), uninterrupted)
