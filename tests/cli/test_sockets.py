"""No command but `models pull` (and `doctor --online`) opens a socket to anywhere.

Each command runs in a process that the kernel kills when it, or a child of it, asks for an internet
socket: Python, ffmpeg's libraries and llama.cpp alike.
"""

import ctypes
import platform
import shlex
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.run import invoke
from tests.heads import save_seeker
from tests.pairs import PairCache
from tests.talks import make_talk, monologue
from tests.tools.nets import RED, save_clip_classifier, save_colour_detector
from vidcli.cli.app import PANELS, caches, config_app, data_app, models_app, train_app

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")

SOCKET = {"x86_64": 41, "aarch64": 198}  # number of the system call
NEVER = {"models pull"}
ENDLESS = ("watch",)  # until Ctrl-C, which comes
ENOUGH_S = 4  # seconds in which an endless command does something
# One real use of each command; {clip}, {folder} with a clip, {model}, {out} are filled in.
EXAMPLES = {
    "ask": "ask {clip} What? --max-tokens 2",
    "agent": "agent {clip} What? --max-tokens 2 --max-rounds 1 --frames 1",
    "caption": "caption {clip} --max-tokens 2 --report {out}.html",
    "summarize": "summarize {clip} --write-chapters {out}.mkv",
    "chapters": "chapters {clip}",
    "highlights": "highlights {clip} --query cars --threshold 0 --clip {out}",
    "check": "check {clip} sunny",
    "dense": "dense {clip} --max-tokens 2 --results {out}.json",
    "find": "find {clip} sunny --threshold 0",
    "search": "search sunny {clip} --model {seeker}",
    "classify": "classify {clip} --labels red,blue",
    "chat": "chat {clip}",
    "watch": "watch {folder} --settle 0.1 --every 0.1 --max-tokens 2",
    "info": "info {clip}",
    "frames": "frames {clip} --out-dir {out}",
    "shots": "shots {clip}",
    "read": "read {clip}",
    "transcribe": "transcribe {talk} --whisper {whisper}",
    "methods": "methods",
    "detect": "detect {clip} --model {detector}",
    "actions": "actions {clip} --model {actions}",
    "schema": "schema answer",
    "bench": "bench --frames x",
    "demo": "demo",
    "data synth": "data synth --out {out}/set --clips 1 --seconds 0.5",
    "eval": "eval {out}/set --limit 1 --max-tokens 2",
    "doctor": "doctor --verify",
    "data narrate": "data narrate {clip} --max-tokens 2 --rephrase 1",
    "data instruct": "data instruct {clip} --watch --tasks yes-no --per-task 1 --max-chars 8"
    " --max-tokens 8 --captions {captions}",
    "models list": "models list --all",
    "models show": "models show smolvlm2-500m",
    "models add": "models add mine --model {model}",
    "models path": "models path mine",
    "models verify": "models verify",
    "models rm": "models rm mine",
    "config path": "config path",
    "config show": "config show",
    "config set": "config set frames 4",
    "config get": "config get frames",
    "config unset": "config unset frames",
    "config edit": "config edit",
    "train pretrain": "train pretrain --data {clip} --out {out}",
    "train tune": "train tune --data {clip} --out {out}",
    "train export": "train export {folder} --out {out}",
    "train run": "train run tiny --out {out} --step synth",
    "cache show": "cache show",
    "cache prune": "cache prune --max-size 1GB",
    "cache clear": "cache clear --yes",
}


def list_commands() -> set[str]:
    """Every command of the app, by what a person types."""
    own = {function.__name__ for functions in PANELS.values() for function in functions}
    groups = {
        "cache": caches,
        "config": config_app,
        "data": data_app,
        "models": models_app,
        "train": train_app,
    }
    return own | {
        f"{name} {command.name or getattr(command.callback, '__name__', '')}"
        for name, group in groups.items()
        for command in group.registered_commands
    }


def refuse_sockets() -> None:
    """Let the kernel kill this process, and what it starts, for an internet socket."""
    load, equal, answer = 0x20, 0x15, 0x06
    kill, allow = 0x80000000, 0x7FFF0000
    program = [
        (load, 0, 0, 0),  # the system call's number
        (equal, 0, 3, SOCKET[platform.machine()]),
        (load, 0, 0, 16),  # its first argument: the address family
        (equal, 2, 0, 2),  # AF_INET
        (equal, 1, 0, 10),  # AF_INET6
        (answer, 0, 0, allow),
        (answer, 0, 0, kill),
    ]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, header, 0, 0) == 0, ctypes.get_errno()  # PR_SET_SECCOMP


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    start = f"from tests.cli.test_sockets import refuse_sockets; refuse_sockets(); {command[0]}"
    return subprocess.run(
        [sys.executable, "-c", start, *command[1:]],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_every_command_has_an_example():
    assert list_commands() - NEVER == set(EXAMPLES), "a new command needs one real use of it here"


def test_the_refusal_is_real():
    assert run("import socket; socket.socketpair()").returncode == 0
    assert run("import socket; socket.socket()").returncode == -31  # SIGSYS
    child = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', "
    assert run(child + "'import socket; socket.socket()']) == -31)").returncode == 1


def read_code(line: str) -> int:
    """The exit code at the end of a line of `run_all`."""
    return int(line.split()[-1])


def run_all(lines: Sequence[str]) -> None:
    """Run commands one after the other in this process, saying which one it is."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    for line in lines:
        sys.stdout.write(f"{line} ")
        sys.stdout.flush()
        signal.alarm(ENOUGH_S if line.startswith(ENDLESS) else 0)  # a Ctrl-C
        result = invoke(*shlex.split(line))
        sys.stdout.write(f"{result.exit_code}\n")


@pytest.mark.usefixtures("model")
def test_no_command_but_pull_opens_a_socket(
    clip: Path, pairs: PairCache, whisper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VISUAL", "true")  # an editor that changes nothing
    places = {"clip": clip, "model": pairs.get("tiny-idefics3").weights, "out": tmp_path / "out"}
    places["detector"] = save_colour_detector(tmp_path / "colours.onnx", (RED,))
    places["actions"] = save_clip_classifier(tmp_path / "clips.onnx")
    places["seeker"] = save_seeker(pairs.get("tiny-idefics3"), tmp_path / "seeker")
    (tmp_path / "colours.txt").write_text("red\n")
    (tmp_path / "clips.txt").write_text("bright\ndark\nmoving\n")
    places["folder"] = tmp_path / "watched"
    places["whisper"] = whisper
    places["talk"] = make_talk(tmp_path / "talk.mp4", monologue())
    places["folder"].mkdir()
    shutil.copy(clip, places["folder"])
    places["captions"] = tmp_path / "captions.csv"
    places["captions"].write_text(f"video,caption\n{clip.name},Numbers count up.\n")
    quoted = {name: shlex.quote(str(path)) for name, path in places.items()}
    lines = [example.format(**quoted) for example in EXAMPLES.values()]
    done = run(f"from tests.cli.test_sockets import run_all; run_all({lines!r})")
    assert done.returncode == 0, f"after {done.stdout.splitlines()[-1:]}: {done.stderr}"
    codes = dict(zip(EXAMPLES, map(read_code, done.stdout.splitlines()), strict=True))
    assert codes.pop("check") in (0, 1)
    # The extra is not needed here; tests/train runs these for real, under the same refusal.
    has_extra = find_spec("peft") is not None
    training = {"train pretrain": 2, "train tune": 2, "train export": 4, "train run": 0}
    training = training if has_extra else dict.fromkeys(training, 7)
    wanted = {"bench": 2, "detect": 1, **training, **dict.fromkeys(ENDLESS, 130)}
    assert codes == {name: wanted.get(name, 0) for name in codes}


def test_what_runs_on_onnxruntime_reports_to_nobody(clip: Path):
    """Its telemetry looks up a host seconds after it was imported, in a thread of its own."""
    wait = "import time; time.sleep(8)"
    done = run(f"from tests.cli.test_sockets import run_all; run_all(['read {clip}']); {wait}")
    assert done.returncode == 0, done.stdout


def test_pull_is_what_the_refusal_stops(hub: object):
    done = run("from vidcli.cli.app import main; main()", "models", "pull", "smolvlm2-500m")
    assert done.returncode == -31
