"""No command but `models pull` opens a socket to anywhere.

Each command runs in a process that the kernel kills when it, or a child of it, asks for an internet
socket: Python, ffmpeg's libraries and llama.cpp alike.
"""

import ctypes
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pairs import PairCache
from vidcli.cli.app import PANELS, caches, models_app

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")

SOCKET = {"x86_64": 41, "aarch64": 198}  # number of the system call
NEVER = {"models pull"}
# One real use of each command; {clip}, {model}, {out} are filled in.
EXAMPLES = {
    "ask": "ask {clip} What? --max-tokens 2",
    "caption": "caption {clip} --max-tokens 2",
    "check": "check {clip} sunny",
    "chat": "chat {clip}",
    "info": "info {clip}",
    "frames": "frames {clip} --out-dir {out}",
    "shots": "shots {clip}",
    "schema": "schema answer",
    "bench": "bench --frames x",
    "demo": "demo",
    "models list": "models list --all",
    "models show": "models show smolvlm2-500m",
    "models add": "models add mine --model {model}",
    "models path": "models path mine",
    "models verify": "models verify",
    "models rm": "models rm mine",
    "cache show": "cache show",
    "cache prune": "cache prune --max-size 1GB",
    "cache clear": "cache clear --yes",
}


def list_commands() -> set[str]:
    """Every command of the app, by what a person types."""
    own = {function.__name__ for functions in PANELS.values() for function in functions}
    groups = {"cache": caches, "models": models_app}
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


@pytest.mark.usefixtures("model")
def test_no_command_but_pull_opens_a_socket(clip: Path, pairs: PairCache, tmp_path: Path):
    model = pairs.get("tiny-idefics3").weights
    for name, example in EXAMPLES.items():
        words = example.format(clip=clip, model=model, out=tmp_path / "out").split()
        done = run("from vidcli.cli.app import main; main()", *words)
        wanted = {2} if name == "bench" else {0, 1} if name == "check" else {0}
        assert done.returncode in wanted, (name, done.returncode, done.stderr)


def test_pull_is_what_the_refusal_stops(hub: object):
    done = run("from vidcli.cli.app import main; main()", "models", "pull", "smolvlm2-500m")
    assert done.returncode == -31
