"""`config` settles values for good: flag before variable before file before default, origins told.

A file that is wrong is one line with its place and exit code 2, and can always be repaired.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from tests.cli.run import VIDCLI, invoke, shell, spawn
from vidcli import settings
from vidcli.cli.app import app
from vidcli.cli.groups import Device, Loading, Looking, Writing
from vidcli.cli.keeping import Keeping
from vidcli.cli.kept import key_of
from vidcli.cli.options import Selection
from vidcli.core.model import Detail
from vidcli.output.forms import Form
from vidcli.output.schema import load_schema

Write = Callable[[str], Path]


@pytest.fixture
def write() -> Write:
    """Writes the settings file."""

    def write_text(text: str) -> Path:
        path = settings.config_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_text


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes $VISUAL a real program that runs a shell script on the file."""

    def set_editor(script: str) -> None:
        program = tmp_path / "editor with a space"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("VISUAL", f"'{program}'")

    return set_editor


def show() -> dict[str, Any]:
    result = invoke("config", "show", "--json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("config"))
    return document | {"exit_code": result.exit_code}


def origin_of(key: str) -> tuple[object, str, object]:
    entry = next(entry for entry in show()["settings"] if entry["key"] == key)
    origin = entry["origin"]
    return entry["value"], origin["source"], origin["variable"] or origin["line"]


def plan_of(clip: Path, *options: str) -> dict[str, Any]:
    result = invoke("frames", str(clip), "-o", str(clip.parent / "out"), "--json", *options)
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


# The table


def test_options_have_the_defaults_choices_and_variables_of_the_table():
    defaults = {
        **{key: getattr(group(), key) for group in (Looking, Loading, Writing)
           for key in settings.TABLE if hasattr(group(), key)},
        "format": Keeping().form,
    }  # fmt: skip
    assert len(defaults) == 22
    for key, default in defaults.items():
        written = settings.TABLE[key].default
        assert default == (None if written is None else settings.TABLE[key].read(written)), key
    for key, words in (("detail", Detail), ("mmproj_device", Device), ("select", Selection),
                       ("format", Form)):  # fmt: skip
        assert settings.TABLE[key].choices == tuple(words), key


def test_every_setting_with_an_option_is_named_in_help():
    pages = "".join(invoke(name, "--help").stdout for name in ("ask", "check"))
    page = "".join(pages.split())
    without = {"cache_dir", "cache_size", "data_dir", "state_dir", "decode_timeout"}
    without.add("decode_memory")
    for key, setting in settings.TABLE.items():
        assert (f"envvar:{setting.variable}" in page) != (key in without), key


@pytest.mark.parametrize("key", settings.TABLE)
def test_every_setting_shows_a_value_that_it_takes(key: str):
    setting = settings.TABLE[key]
    shown = setting.example if setting.default is None else setting.default
    setting.read_kept(shown)
    assert setting.help.endswith(".")


def test_no_option_has_a_variable_beside_the_table():
    def walk(command: Any) -> list[Any]:
        inner = getattr(command, "commands", {}).values()
        return [*command.params, *(param for child in inner for param in walk(child))]

    params = [param for param in walk(typer.main.get_command(app)) if param.envvar]
    assert len(params) > 20
    assert [param.name for param in params if key_of(param) is None] == []


# Precedence


def test_flag_goes_before_variable_before_file_before_default(
    clip: Path, write: Write, monkeypatch: pytest.MonkeyPatch
):
    assert len(plan_of(clip)["frames"]) > 4
    assert origin_of("frames") == ("auto", "default", None)
    write("\nframes = 4\n")
    assert len(plan_of(clip)["frames"]) == 4
    assert origin_of("frames") == (4, "file", 2)
    monkeypatch.setenv("VIDCLI_FRAMES", "3")
    assert len(plan_of(clip)["frames"]) == 3
    assert origin_of("frames") == ("3", "environment", "VIDCLI_FRAMES")
    assert len(plan_of(clip, "--frames", "2")["frames"]) == 2


@pytest.mark.usefixtures("model")
def test_a_kept_setting_shapes_the_answer_and_the_run_journal(
    clip: Path, write: Write, tmp_path: Path
):
    def answer() -> dict[str, Any]:
        done = invoke("caption", str(clip), str(clip), "--format", "jsonl")
        assert done.exit_code == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[0] | {"told": done.stderr.splitlines()[-1]}

    write("frames = 2\nmax_tokens = 3\n")
    first = answer()
    assert (len(first["frames"]), first["usage"]["completion_tokens"]) == (2, 3)
    assert "2 skipped" in answer()["told"] or "skipped 2" in answer()["told"]
    write("frames = 2\nmax_tokens = 4\n")
    assert answer()["usage"]["completion_tokens"] == 4


@pytest.mark.usefixtures("model")
def test_the_file_names_the_model_and_a_flag_leaves_its_projector_out(
    clip: Path, write: Write, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("VIDCLI_MODEL")
    mmproj = next(model.parent.glob("*mmproj*"))
    ask = ("ask", str(clip), "What?", "--max-tokens", "1", "--json")
    write(f'model = "{model}"\nmmproj = "{mmproj}"\n')
    assert json.loads(invoke(*ask).stdout)["model"]["architecture"] == "llama"
    write(f'model = "{model}"\nmmproj = "{tmp_path}/gone.gguf"\n')
    assert invoke(*ask).exit_code == 4
    assert invoke(*ask, "--model", str(model)).exit_code == 0
    home = {"HOME": str(model.parent.parent)}
    here = f"~/{model.parent.name}"
    write(f'model = "{here}/{model.name}"\nmmproj = "{here}/{mmproj.name}"\n')
    assert invoke(*ask, env=home).exit_code == 0
    write('model = "nobody"\n')
    result = invoke(*ask)
    assert (result.exit_code, "nobody" in result.stderr) == (4, True)


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ('select = "shots"\n', ["--fps", "2"], "fps"),
        ('select = "keyframes"\n', ["--max-gap", "1"], "opening"),
        ("fps = 2\n", ["--select", "keyframes"], "keyframe"),
        ("fps = 2\n", ["--select", "fps"], "fps"),
        ("fps = 2\n", [], "fps"),
        ("max_gap = 10\n", ["--select", "keyframes"], "keyframe"),
        ('max_gap = "10s"\n', [], "opening"),
        ('max_gap = "10s"\nselect = "shots"\n', ["--fps", "2"], "fps"),
    ],
)
def test_what_contradicts_a_flag_gives_way_to_it(
    clip: Path, write: Write, text: str, options: list[str], reason: str
):
    write(text)
    assert plan_of(clip, *options)["frames"][0]["reason"].split()[0] == reason


@pytest.mark.usefixtures("model")
def test_a_flag_for_json_goes_before_a_kept_form(clip: Path, write: Write):
    write('format = "srt"\nmax_tokens = 1\n')
    assert invoke("caption", str(clip)).stdout.startswith("1\n00:00:00,000 --> ")
    assert json.loads(invoke("caption", str(clip), "--json").stdout)["finish"] == "length"


def test_a_kept_offline_is_obeyed_and_a_flag_goes_before_it(write: Write, hub: Any):
    write("offline = true\n")
    refused = invoke("models", "pull", "hf:nobody/nothing")
    assert (refused.exit_code, hub.requests) == (4, [])
    assert "--no-offline" in refused.stderr
    invoke("models", "pull", "hf:nobody/nothing", "--no-offline")
    assert hub.requests


def test_the_hubs_own_variable_shows_as_the_origin(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert origin_of("offline") == (True, "environment", "HF_HUB_OFFLINE")


def test_directories_and_limits_come_from_the_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(f'cache_dir = "{tmp_path}/c"\ncache_size = "1MB"\ndecode_timeout = "2m"\n')
    assert settings.cache_dir() != tmp_path / "c"  # the tests' variable goes first
    monkeypatch.delenv("VIDCLI_CACHE_DIR")
    assert settings.cache_dir() == tmp_path / "c"
    assert settings.cache_size() == 1_000_000
    assert settings.decode_limits()["timeout_s"] == 120
    shown = json.loads(invoke("cache", "show", "--json").stdout)
    assert (shown["folder"], shown["max_bytes"]) == (f"{tmp_path}/c", 1_000_000)


def test_help_shows_the_defaults_of_vidcli_whatever_is_kept(write: Write):
    pages = [invoke("ask", "--help").stdout]
    write("n_ctx = 512\nmax_tokens = 7\n")
    pages.append(invoke("ask", "--help").stdout)
    write("n_ctx = = 512\n")
    pages.append(invoke("ask", "--help").stdout)
    assert len(set(pages)) == 1
    assert "default: 8192" in pages[0]


# A file that is wrong

WRONG = {
    "n_ctx = 4096\nmodle = 'x'\n": "config.toml:2: there is no setting 'modle'",
    "[ask]\nframes = 3\n": "config.toml:1: there is no setting 'ask'",
    "\n\nn_ctx = 'many'\n": "config.toml:3: n_ctx = 'many' is no whole number",
    "n_ctx = 5\n": "config.toml:1: n_ctx = 5 is too small: at least 256",
    "top_p = 1.5\n": "config.toml:1: top_p = 1.5 is too large: at most 1",
    "detail = 'huge'\n": "config.toml:1: detail = 'huge' is none of low, normal, high",
    "frames = 0\n": "config.toml:1: frames = 0 is neither 'auto' nor a number of at least 1",
    "frames = true\n": "config.toml:1: frames = True is neither 'auto' nor",
    "offline = 3\n": "config.toml:1: offline = 3 is neither true nor false",
    "temperature = nan\n": "config.toml:1: temperature = nan is no number",
    "max_gap = 0\n": "config.toml:1: max_gap = 0 is not a length of time",
    "cache_size = 'big'\n": "config.toml:1: cache_size = 'big' is not a size",
    "model = ['a']\n": "config.toml:1: model = ['a'] is no text",
    "model = 'here/model.gguf'\n": "config.toml:1: model = 'here/model.gguf' is a relative path",
    "state_dir = 'state'\n": "config.toml:1: state_dir = 'state' is a relative path",
    "seed = 2020-01-01\n": "config.toml:1: seed = datetime.date(2020, 1, 1) is no whole number",
    "seed = 1\nfps = 2\nselect = 'shots'\n": "config.toml:3: fps does not go with select = 'shots'",
    "seed = 1\nn_ctx = = 3\n": "config.toml:2: this is no TOML: ",
    "seed = 1\nseed = 2\n": "config.toml:2: this is no TOML: ",
    "model = 'open": "config.toml:1: this is no TOML: ",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_one_line_with_its_place_and_exit_code_2(write: Write, text: str):
    path = write(text)
    for command in (("ask", "x.mp4", "What?"), ("cache", "show"), ("config", "get", "seed")):
        result = invoke(*command, env={"VIDCLI_CACHE_DIR": "", "VIDCLI_STATE_DIR": ""})
        assert (result.exit_code, result.stdout) == (2, ""), command
        error, hint = result.stderr.splitlines()
        assert error.startswith(f"error: {path.parent}/{WRONG[text]}")
        assert hint.startswith("hint: ")


def test_bytes_that_are_no_text_are_found_in_their_line():
    path = settings.config_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"seed = 1\n# \xff\n")
    result = invoke("caption", "x.mp4")
    assert (result.exit_code, f"{path}:2: this is no TOML" in result.stderr) == (2, True)
    path.write_bytes(b"\xef\xbb\xbfseed = 1\r\n")  # the mark and line ends of Windows editors
    assert origin_of("seed") == (1, "file", 1)


def test_a_file_that_cannot_be_read_is_said():
    path = settings.config_path()
    path.mkdir(parents=True)
    result = invoke("caption", "x.mp4")
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)
    assert show()["exit_code"] == 2


@pytest.mark.parametrize("text", ["nonsense", "modle = 'x'\nn_ctx = 'many'\n"])
def test_what_repairs_a_wrong_file_works_with_it(write: Write, text: str):
    path = write(text)
    for words in (["--help"], ["ask", "--help"], ["config", "path"], ["schema", "answer"]):
        assert invoke(*words).exit_code == 0, words
    document = show()
    assert document["exit_code"] == 2
    assert document["problems"][0]["line"] == 1
    assert str(path) in invoke("config", "show").stderr
    completed = spawn(
        "", env=os.environ | {"_VIDCLI_COMPLETE": "complete_bash", "COMP_CWORD": "1",
                              "COMP_WORDS": "vidcli sche"},
    )  # fmt: skip
    assert completed.stdout.strip() == "schema"


def test_set_and_unset_repair_a_wrong_value_and_an_unknown_key(write: Write):
    write("modle = 'x'\nn_ctx = 'many'\n")
    told = invoke("config", "set", "n_ctx", "512")
    assert told.exit_code == 0
    assert "there is no setting 'modle'" in told.stderr
    assert invoke("config", "unset", "modle").exit_code == 0
    assert show()["exit_code"] == 0
    assert settings.config_path().read_text() == "n_ctx = 512\n"


def test_a_wrong_variable_is_named_by_show(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIDCLI_N_CTX", "many")
    result = invoke("config", "show")
    assert result.exit_code == 2
    assert "VIDCLI_N_CTX: n_ctx = 'many' is no whole number" in result.stderr


# Changing it


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("n_ctx", "4096", "n_ctx = 4096"),
        ("N-CTX", "4096", "n_ctx = 4096"),
        ("temperature", "0.5", "temperature = 0.5"),
        ("temperature", "1", "temperature = 1.0"),
        ("offline", "yes", "offline = true"),
        ("frames", "auto", 'frames = "auto"'),
        ("frames", "12", "frames = 12"),
        ("gpu_layers", "0", "gpu_layers = 0"),
        ("max_gap", "1m30s", 'max_gap = "1m30s"'),
        ("max_gap", "30", "max_gap = 30"),
        ("cache_size", "2GB", 'cache_size = "2GB"'),
        ("detail", "low", 'detail = "low"'),
        ("model", "12", 'model = "12"'),
        ("model", "hf:owner/repo:Q8_0", 'model = "hf:owner/repo:Q8_0"'),
        ("cache_dir", "~/big disk", 'cache_dir = "~/big disk"'),
        ("data_dir", 'a "quote"\\', None),
    ],
)
def test_set_writes_what_get_and_commands_read(key: str, value: str, line: str | None):
    assert invoke("config", "set", key, value).exit_code == 0
    text = settings.config_path().read_text()
    assert line is None or text == line + "\n"
    got = invoke("config", "get", key, env={"VIDCLI_DATA_DIR": "", "VIDCLI_CACHE_DIR": ""})
    assert got.exit_code == 0
    assert show()["exit_code"] == 0
    if line is None:
        assert got.stdout == f"{os.getcwd()}/{value}\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [("n_ctx", "5"), ("n_ctx", "x"), ("detail", "huge"), ("top_p", "nan"), ("frames", "0"),
     ("frames", "-1"), ("max_gap", "0"), ("modle", "x"), ("model", ""), ("cache_size", "-1")],
)  # fmt: skip
def test_set_refuses_what_a_command_would_refuse(key: str, value: str, write: Write):
    path = write("# mine\n")
    result = invoke("config", "set", "--", key, value)
    assert (result.exit_code, result.stdout, path.read_text()) == (2, "", "# mine\n")
    assert len(result.stderr.splitlines()) == 2


def test_set_keeps_comments_order_permissions_and_a_link(tmp_path: Path, write: Write):
    dotfiles = tmp_path / "dotfiles" / "vidcli.toml"
    dotfiles.parent.mkdir()
    dotfiles.write_text("# mine\nseed = 1  # lucky\n\n# small\nn_ctx = 512\n")
    dotfiles.chmod(0o600)
    path = settings.config_path()
    path.parent.mkdir(parents=True)
    path.symlink_to(dotfiles)
    assert invoke("config", "set", "seed", "7").exit_code == 0
    assert invoke("config", "set", "frames", "9").exit_code == 0
    assert path.is_symlink()
    assert dotfiles.read_text() == (
        "# mine\nseed = 7  # lucky\n\n# small\nn_ctx = 512\nframes = 9\n"
    )
    assert dotfiles.stat().st_mode & 0o777 == 0o600
    assert os.listdir(dotfiles.parent) == ["vidcli.toml"]


def test_set_keeps_the_line_ends_of_another_system():
    path = settings.config_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"# mine\r\nseed = 1\r\nn_ctx = 512\r\n")
    assert invoke("config", "set", "seed", "7").exit_code == 0
    assert path.read_bytes() == b"# mine\r\nseed = 7\r\nn_ctx = 512\r\n"


def test_a_link_to_nothing_yet_is_written_through(tmp_path: Path):
    path = settings.config_path()
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "new" / "file.toml")
    assert invoke("config", "set", "seed", "7").exit_code == 0
    assert (tmp_path / "new" / "file.toml").read_text() == "seed = 7\n"
    path.unlink()
    path.symlink_to(path.name)
    assert invoke("config", "set", "seed", "7").exit_code == 5


def test_processes_that_set_at_once_lose_nothing():
    keys = ["seed", "n_ctx", "threads", "max_tokens", "frames", "main_gpu"]
    running = [subprocess.Popen([*VIDCLI, "config", "set", key, "300"]) for key in keys]
    assert [child.wait(60) for child in running] == [0] * len(keys)
    entries = settings.read_config().entries
    assert {key: entry.value for key, entry in entries.items()} == dict.fromkeys(keys, 300)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said_as_a_user(tmp_path: Path):
    tmp_path.chmod(0o500)
    result = invoke("config", "set", "seed", "1", env={"VIDCLI_CONFIG_DIR": str(tmp_path / "x")})
    assert result.exit_code == 5


def test_a_folder_that_cannot_be_made_is_said():
    result = invoke("config", "set", "seed", "1", env={"VIDCLI_CONFIG_DIR": "/dev/null"})
    assert (result.exit_code, "VIDCLI_CONFIG_DIR" in result.stderr) == (5, True)
    nothing = invoke("config", "show", env={"VIDCLI_CONFIG_DIR": "/dev/null"})
    assert nothing.exit_code == 0


def test_set_says_what_goes_before_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIDCLI_SEED", "3")
    assert "VIDCLI_SEED is set" in invoke("config", "set", "seed", "4").stderr
    assert "no model nobody on this machine" in invoke("config", "set", "model", "nobody").stderr


def test_get_prints_the_value_alone():
    assert invoke("config", "get", "n_ctx").stdout == "8192\n"
    assert invoke("config", "get", "offline").stdout == "false\n"
    nothing = invoke("config", "get", "fps")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    unknown = invoke("config", "get", "modle")
    assert (unknown.exit_code, "did you mean 'model'?" in unknown.stderr) == (2, True)


# Editing it


def test_edit_begins_with_every_setting_and_keeps_what_is_right(
    editor: Callable[[str], None],
):
    editor("sed -i 's/^# n_ctx = 8192/n_ctx = 2048/' \"$1\"")
    assert invoke("config", "edit").exit_code == 0
    assert origin_of("n_ctx")[:2] == (2048, "file")
    text = settings.config_path().read_text()
    assert all(f"# {key} = " in text for key in settings.TABLE if key != "n_ctx")
    assert len(os.listdir(settings.config_path().parent)) == 1


def test_edit_does_not_keep_what_is_wrong_and_loses_nothing(
    editor: Callable[[str], None], write: Write
):
    path = write("seed = 1\n")
    editor('echo "sed = 2" >> "$1"')
    result = invoke("config", "edit")
    assert (result.exit_code, path.read_text()) == (2, "seed = 1\n")
    assert "config.toml:2: there is no setting 'sed'" in result.stderr
    draft = next(other for other in path.parent.iterdir() if other != path)
    assert draft.read_text() == "seed = 1\nsed = 2\n"
    assert str(draft) in result.stderr


def test_edit_repairs_a_wrong_file(editor: Callable[[str], None], write: Write):
    path = write("seed = = 1\n")
    editor("sed -i 's/= =/=/' \"$1\"")
    assert invoke("config", "edit").exit_code == 0
    assert path.read_text() == "seed = 1\n"


def test_edit_does_not_overwrite_what_changed_meanwhile(
    editor: Callable[[str], None], write: Write
):
    path = write("seed = 1\n")
    editor(f"echo 'seed = 3' > '{path}'; echo 'seed = 2' > \"$1\"")
    result = invoke("config", "edit")
    assert (result.exit_code, path.read_text()) == (2, "seed = 3\n")
    assert "was changed while it was edited" in result.stderr


def test_an_editor_that_fails_or_is_missing_changes_nothing(
    editor: Callable[[str], None], write: Write, monkeypatch: pytest.MonkeyPatch
):
    path = write("seed = 1\n")
    editor('echo x >> "$1"; exit 3')
    assert invoke("config", "edit").exit_code == 2
    monkeypatch.setenv("VISUAL", "no-such-editor --wait")
    result = invoke("config", "edit")
    assert (result.exit_code, "no-such-editor" in result.stderr) == (7, True)
    assert (path.read_text(), os.listdir(path.parent)) == ("seed = 1\n", ["config.toml"])


# Start-up


def test_a_file_costs_ordinary_commands_no_heavy_import(write: Write):
    write("frames = 4\n")
    code = (
        "import sys; from vidcli.cli.app import app\n"
        "try: app(['frames', 'x.mp4'], standalone_mode=False)\n"
        "except BaseException: pass\n"
        "assert 'tomllib' in sys.modules\n"
        "sys.exit('tomlkit' in sys.modules or 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_piped_show_is_columns_and_head_ends_it_quietly():
    done = shell("$VIDCLI config show | head -1; echo ${PIPESTATUS[0]}")
    assert done.stdout.split() == ["setting", "value", "from", "0"]


# Where a wrong model was named


def test_an_error_about_the_model_says_where_it_was_named(
    clip: Path, write: Write, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("VIDCLI_MODEL", raising=False)
    path = write('model = "nobody"\n')
    ask = ("ask", str(clip), "What?")
    assert f"; {path}:1 names it" in invoke(*ask).stderr
    monkeypatch.setenv("VIDCLI_MODEL", "noone")
    assert "; VIDCLI_MODEL names it" in invoke(*ask).stderr
    assert "names it" not in invoke(*ask, "--model", "nemo").stderr


def test_verbose_says_which_installed_model_was_chosen(
    clip: Path, model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("VIDCLI_MODEL")
    assert invoke("models", "add", "mine", "--model", str(model)).exit_code == 0
    told = invoke("ask", str(clip), "What?", "--max-tokens", "1", "-v").stderr
    assert "model: mine, the largest installed one that fits" in told


def test_a_model_file_of_this_directory_is_kept_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "weights").mkdir()
    monkeypatch.chdir(tmp_path)
    assert invoke("config", "set", "model", "weights").exit_code == 0
    assert origin_of("model")[0] == f"{tmp_path}/weights"


def test_ctrl_c_belongs_to_the_editor(editor: Callable[[str], None], write: Write):
    path = write("seed = 1\n")
    editor("trap : INT; kill -INT $PPID; sleep 0.3; echo 'seed = 2' > \"$1\"")
    done = spawn("config", "edit")
    assert (done.returncode, path.read_text()) == (0, "seed = 2\n"), done.stderr
    editor("sleep 0.1; kill -INT $$; sleep 5")  # the editor itself may die of it
    assert spawn("config", "edit").returncode == 2


def test_a_shell_completes_the_keys():
    words = {
        "_VIDCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": "vidcli config set n_",
        "COMP_CWORD": "3",
    }
    assert spawn("", env=os.environ | words).stdout.split() == ["n_ctx"]
