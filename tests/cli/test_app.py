"""The root command: errors become exit codes, stdout carries the answer only."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vidcli.cli.schema as schema_command
from tests.cli.run import VIDCLI, invoke, shell, spawn
from vidcli import __version__, errors

HEAVY = {
    "av", "cv2", "ffmpeg", "gguf", "huggingface_hub", "jinja2", "llama_cpp", "numpy", "PIL", "rich",
    "torch",
}  # fmt: skip


def test_version_is_one_line():
    result = invoke("--version")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"vidcli {__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["schema", "--list"], {}),
        ([], {"_VIDCLI_COMPLETE": "complete_bash", "COMP_WORDS": "vidcli sc", "COMP_CWORD": "1"}),
        ([], {"_VIDCLI_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "vidcli sc"}),
        (
            [],
            {
                "_VIDCLI_COMPLETE": "complete_fish",
                "_TYPER_COMPLETE_ARGS": "vidcli sc",
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            },
        ),
    ],
    ids=["help", "version", "schema", "bash", "zsh", "fish"],
)
def test_help_version_and_completion_load_nothing_heavy(args: list[str], env: dict[str, str]):
    code = (
        "import atexit, sys\n"
        "loaded = lambda: [name for name, module in sys.modules.items() if module]\n"
        "atexit.register(lambda: print('\\n#', *loaded(), file=sys.stderr))\n"
        "from vidcli.cli.app import main\n"
        f"sys.argv[1:] = {args!r}\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | env,
        timeout=60,
    )
    assert done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split("#")[1].split()}
    assert "vidcli" in loaded
    assert not HEAVY & loaded


def test_help_is_plain_and_grouped_when_nobody_watches():
    done = spawn("--help", env=os.environ | {"FORCE_COLOR": "1"})
    assert done.returncode == 0
    assert "Upkeep:" in done.stdout
    assert "─" not in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError, 2),
        (errors.MediaError, 3),
        (errors.NoVideoStreamError, 3),
        (errors.ModelError, 4),
        (errors.ResourceError, 5),
        (errors.EngineError, 6),
        (errors.SetupError, 7),
        (errors.PartialFailure, 8),
    ],
)
def test_each_error_ends_in_its_exit_code_with_message_and_hint_on_stderr(
    error: type[errors.VidcliError], code: int, monkeypatch: pytest.MonkeyPatch
):
    def fail(text: str) -> None:
        raise error("clip\n.mp4 is bad", hint="try another")

    monkeypatch.setattr(schema_command, "write_out", fail)
    result = invoke("schema", "--list")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "error: clip\\n.mp4 is bad\nhint: try another\n"


def test_debug_adds_the_traceback():
    result = invoke("schema", "nope", env={"VIDCLI_DEBUG": "1"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback (most recent call last)" in result.stderr
    assert "error: there is no schema named nope\n" in result.stderr


def test_an_unknown_command_is_a_usage_error():
    result = invoke("asks")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "asks" in result.stderr


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        ("KeyboardInterrupt()", 130, "interrupted\n"),
        ("MemoryError()", 5, "error: out of memory\n"),
        ("ZeroDivisionError('by zero')", 70, "error: a bug in vidcli: ZeroDivisionError: by zero"),
        ("EOFError('short')", 70, "EOFError: short"),
        ("BrokenPipeError(32, 'a worker died')", 70, "a worker died"),
    ],
)
def test_what_is_no_expected_failure_has_its_own_exit_code(raised: str, code: int, said: str):
    done = _run_with_failure(raised)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_while_the_command_is_imported_shows_no_traceback():
    code = (
        "import runpy, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'vidcli.cli.ask':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "runpy.run_module('vidcli', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_bug_keeps_its_traceback_in_a_file_and_names_it(tmp_path: Path):
    done = _run_with_failure("ZeroDivisionError('by zero')", VIDCLI_STATE_DIR=str(tmp_path))
    (report,) = (tmp_path / "crashes").iterdir()
    assert str(report) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "ZeroDivisionError: by zero" in report.read_text()
    assert "Traceback" in report.read_text()


def test_a_bug_shows_its_traceback_where_no_report_can_be_kept(tmp_path: Path):
    occupied = tmp_path / "file"
    occupied.touch()
    done = _run_with_failure("ZeroDivisionError('by zero')", VIDCLI_STATE_DIR=str(occupied))
    assert done.returncode == 70
    assert "Traceback" in done.stderr


def _run_with_failure(raised: str, **env: str) -> "subprocess.CompletedProcess[str]":
    code = (
        "import sys, vidcli.cli.schema as command\n"
        f"def fail(text): raise {raised}\n"
        "command.write_out = fail\n"
        "sys.argv[1:] = ['schema', '--list']\n"
        "from vidcli.cli.app import main\n"
        "main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | env,
        timeout=60,
    )


def test_a_reader_that_leaves_early_ends_the_command_quietly():
    script = "for i in 1 2 3; do $VIDCLI schema answer | head -1; echo ${PIPESTATUS[0]}; done"
    done = shell(script)
    assert (done.stdout, done.stderr) == ("{\n0\n" * 3, "")


def test_a_reader_that_is_gone_ends_the_command_quietly():
    done = shell("{ sleep 1; $VIDCLI schema answer; echo $? >&2; } | true")
    assert done.stderr == "0\n"


def test_closed_streams_are_no_failure():
    done = shell("$VIDCLI schema --list >&- 2>&- <&-; echo $?")
    assert done.stdout == "0\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_a_resource_error():
    done = shell("$VIDCLI schema answer > /dev/full")
    assert done.returncode == 5
    assert done.stderr.startswith("error: cannot write to standard output: ")
    assert len(done.stderr.splitlines()) == 1


def test_output_of_any_locale_is_readable():
    names = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = spawn("schema", "caf\u00e9\udcff\U0001f4f9", env=os.environ | names)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no schema named caf")
    assert done.stderr.isascii()


def test_every_schema_is_listed_and_printed():
    listed = invoke("schema", "--list").stdout.split()
    assert {"answer", "caption", "check", "info", "frames", "shots", "cache"} <= set(listed)
    for name in listed:
        result = invoke("schema", name)
        assert result.exit_code == 0
        assert json.loads(result.stdout)["properties"]["schema"]["properties"]["name"] == {
            "const": name
        }


def test_the_module_and_the_script_are_the_same_command():
    done = subprocess.run([*VIDCLI, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"vidcli {__version__}\n"
