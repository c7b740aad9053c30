"""A decoder that crashes, hangs or balloons costs one file, and the next file gets a fresh one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path

import ffmpeg
import pytest

from tests.clips import ClipCache, make_clip, read_number, run_ffmpeg
from tests.media.picking import plan_of
from vidcli.errors import MediaError
from vidcli.media.process import WorkerProcess
from vidcli.media.ring import SLOTS
from vidcli.media.video import Video, open_video
from vidcli.media.worker import DecoderWorker

EVERY_FRAME = [Fraction(n, 25) for n in range(100)]


@pytest.fixture
def worker() -> Iterator[DecoderWorker]:
    with DecoderWorker(timeout_s=20) as running:
        yield running


@pytest.fixture
def path(clips: ClipCache) -> str:
    return str(clips.get(duration=4, b_frames=2))


def eventually(holds: Callable[[], bool], *, within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def sees_right(video: Video) -> bool:
    frames = video.frames(plan_of([0.1, 1, 3]))
    return [read_number(frame.image) for frame in frames] == [2, 25, 75]


def test_every_frame_arrives_in_order_through_few_slots(worker, path):
    frames = [frame for frame in open_video(path, worker).frames(plan_of(EVERY_FRAME))]
    assert len(frames) > 10 * SLOTS
    assert [read_number(frame.image) for frame in frames] == list(range(100))
    assert [frame.time.seconds for frame in frames] == EVERY_FRAME
    assert all(
        frame.image.flags["C_CONTIGUOUS"] and frame.image.flags["OWNDATA"] for frame in frames
    )


def test_a_killed_worker_costs_the_file_and_the_next_one_works(worker, path):
    video = open_video(path, worker)
    frames = video.frames(plan_of(EVERY_FRAME))
    next(frames)
    (killed,) = worker.pids
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(MediaError, match="killed"):
        list(frames)
    assert sees_right(open_video(path, worker))
    assert killed not in worker.pids


def test_a_crash_names_the_file_and_the_signal(worker, path):
    frames = open_video(path, worker).frames(plan_of(EVERY_FRAME))
    next(frames)
    os.kill(worker.pids[0], signal.SIGSEGV)
    with pytest.raises(MediaError, match="SIGSEGV") as caught:
        list(frames)
    assert str(caught.value).startswith(path)


def test_a_worker_killed_while_idle_costs_nothing(worker, path):
    video = open_video(path, worker)
    os.kill(worker.pids[0], signal.SIGKILL)
    assert eventually(lambda: not worker._idle[0].is_alive)
    assert sees_right(video)


def test_a_hanging_worker_is_stopped_and_the_next_file_works(path):
    with DecoderWorker(timeout_s=1) as worker:
        frames = open_video(path, worker).frames(plan_of(EVERY_FRAME))
        next(frames)
        (stuck,) = worker.pids
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(MediaError, match="no sign of life"):
            list(frames)
        assert not runs(stuck)
        assert sees_right(open_video(path, worker))


def with_hanging_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program before all others that is called ffmpeg; returns where it writes its id."""
    program, written = tmp_path / "bin" / "ffmpeg", tmp_path / "pid"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\necho $$ > {written}.new\nmv {written}.new {written}\nexec sleep 600\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return written


def make_webp(path: Path) -> None:
    """An animation that only the ffmpeg program decodes."""
    make_clip(path, codec="libwebp_anim", pix_fmt="yuva420p", options={"lossless": 1})


def test_a_hanging_ffmpeg_ends_with_its_worker(clips: ClipCache, tmp_path, monkeypatch):
    clip = clips.build(".webp", make_webp, key="webp")
    written = with_hanging_ffmpeg(tmp_path, monkeypatch)
    with DecoderWorker(timeout_s=1) as worker, pytest.raises(MediaError, match="no sign of life"):
        open_video(str(clip), worker)
    assert eventually(lambda: not runs(int(written.read_text())))


def test_a_hanging_ffmpeg_ends_with_the_parent_of_its_worker(clips, tmp_path, monkeypatch):
    clip = clips.build(".webp", make_webp, key="webp")
    written = with_hanging_ffmpeg(tmp_path, monkeypatch)
    script = (
        "import sys\n"
        "from vidcli.media.worker import DecoderWorker\n"
        "DecoderWorker().call('probe', sys.argv[1])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(clip)]) as parent:
        assert eventually(written.exists)
        parent.kill()
    assert eventually(lambda: not runs(int(written.read_text())))


def make_slow(path: Path) -> None:
    """A clip whose last frame takes a second or two of decoding: one GOP of large frames."""
    source = ffmpeg.input("testsrc2=size=1280x720:rate=25:duration=20", format="lavfi")
    options = {"c:v": "libx264", "preset": "ultrafast", "g": 1000, "sc_threshold": 0}
    run_ffmpeg(ffmpeg.output(source, str(path), **options))


def test_a_busy_decoder_is_not_taken_for_a_hanging_one(clips: ClipCache):
    slow = clips.build(".mp4", make_slow, key="slow")
    with DecoderWorker(timeout_s=1) as worker:
        frames = list(open_video(str(slow), worker).frames(plan_of([1, 19]), size=(64, 36)))
    assert [frame.time.seconds for frame in frames] == [1, 19]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces RLIMIT_AS")
@pytest.mark.parametrize("mebibytes", [16, 48, 120])  # fails in the probe, the ring, the decoder
def test_a_ballooning_decoder_is_stopped_and_the_next_file_works(clips, path, mebibytes):
    large = clips.get(duration=0.2, size=(3840, 2160))
    with DecoderWorker(timeout_s=20, memory_bytes=mebibytes * 1024**2) as worker:
        first = open_video(path, worker)
        before = worker.pids
        with pytest.raises(MediaError, match="needs more memory than the") as caught:
            list(open_video(str(large), worker).frames(plan_of([0.1])))
        assert str(large) in str(caught.value)
        assert sees_right(first)
        assert worker.pids != before


def test_closing_early_drops_the_rest_and_keeps_the_worker(worker, path):
    video = open_video(path, worker)
    before = worker.pids
    frames = video.frames(plan_of(EVERY_FRAME))
    next(frames)
    frames.close()
    assert sees_right(video)
    assert worker.pids == before


def test_two_videos_can_be_watched_at_once(worker, path, clips: ClipCache):
    one = open_video(path, worker).frames(plan_of(EVERY_FRAME[::10]))
    shorter = open_video(str(clips.get(".mkv", duration=2)), worker)
    other = shorter.frames(plan_of(EVERY_FRAME[5:20:5]))
    pairs = [(read_number(a.image), read_number(b.image)) for a, b in zip(one, other, strict=False)]
    assert pairs == [(0, 5), (10, 10), (20, 15)]


def test_threads_can_share_a_worker(worker, path):
    right: list[bool] = []
    threads = [
        threading.Thread(target=lambda: right.append(sees_right(open_video(path, worker))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 3


def test_an_interrupt_is_the_parents_to_handle(worker, path):
    frames = open_video(path, worker).frames(plan_of(EVERY_FRAME))
    next(frames)
    os.kill(worker.pids[0], signal.SIGINT)
    assert len(list(frames)) == 99


def test_an_interrupt_in_the_parent_stops_the_work_at_once(worker, path):
    video = open_video(path, worker)
    frames = video.frames(plan_of(EVERY_FRAME))
    next(frames)
    (busy,) = worker.pids
    with pytest.raises(KeyboardInterrupt):
        frames.throw(KeyboardInterrupt)
    assert not runs(busy)
    assert sees_right(video)


def test_the_worker_dies_with_its_parent(path):
    script = (
        "import sys, time\n"
        "from vidcli.media.worker import DecoderWorker\n"
        "worker = DecoderWorker()\n"
        "worker.call('probe', sys.argv[1])\n"
        "print(*worker.pids, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        assert runs(orphan)
        parent.kill()
    assert eventually(lambda: not runs(orphan))


def test_nothing_is_left_open(path):
    before = len(os.listdir("/dev/fd"))
    with DecoderWorker() as worker:
        video = open_video(path, worker)
        assert sees_right(video)
        pids = worker.pids
    worker.close()
    assert len(os.listdir("/dev/fd")) == before
    assert not any(runs(pid) for pid in pids)


def test_what_the_worker_raises_arrives_whole(worker, tmp_path):
    with pytest.raises(MediaError, match="is a directory") as caught:
        open_video(str(tmp_path), worker)
    assert caught.value.hint == "name the video files in it"


def test_importing_the_workers_door_loads_no_native_library():
    code = "import sys, vidcli.media.video; print({'av', 'cv2'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_two_threads_may_close_one_process(monkeypatch):
    process = WorkerProcess(timeout_s=30, memory_bytes=0)
    both = threading.Barrier(2, timeout=1)

    def close_slowly(connection: Connection) -> None:
        with suppress(threading.BrokenBarrierError):  # the other one is kept out
            both.wait()
        os.close(connection.fileno())
        connection._handle = None

    monkeypatch.setattr(Connection, "close", close_slowly)
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(process.close) for _ in range(2)]
    assert [future.exception() for future in done] == [None, None]
