"""What the README and the pages name is there: files, headings, commands, options."""

import re
import shlex
import shutil
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.cli.run import invoke, spawn
from tests.pairs import PairCache
from vidcli.cli.app import app

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GENERATED = {"commands.md", "models.md"}
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)")
NAMED = re.compile(r"`((?:docs|tests|vidcli|completions|\.ci)/[\w./-]*|[\w-]+\.toml)`")
CALL = re.compile(r"(?:^|[`$;&|(\s])(?:\.venv/bin/)?vidcli ([a-z][^`|;&>#\n]*)")
MADE = {"config.toml", "recipe.toml", "sizes.toml", "vidcli/nano/"}  # by a user, or by training
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def slug(heading: str) -> str:
    """The anchor that a site such as GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text())
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def find_command(words: list[str]) -> tuple[Any, int]:
    """The command that a line's first words name, and how many of them do."""
    found: Any = typer.main.get_command(app)
    for number, word in enumerate(words):
        if word not in getattr(found, "commands", {}):
            return found, number
        found = found.commands[word]
    return found, len(words)


def list_calls(page: Path) -> list[str]:
    """Every `vidcli ...` that stands in a block or between backticks."""
    text = page.read_text()
    blocks = FENCE.findall(text)
    blocks += re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", FENCE.sub("", text))
    joined = (re.sub(r"\\?\n {2,}(?=-)|\n(?=--)", " ", block) for block in blocks)
    return [call.strip() for block in joined for call in CALL.findall(block)]


@pages
def test_every_link_leads_to_a_file_and_a_heading(page: Path):
    for target in LINK.findall(page.read_text()):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file), target


@pages
def test_every_file_that_is_named_is_there(page: Path):
    for name in NAMED.findall(page.read_text()):
        assert name in MADE or (ROOT / name).exists(), name


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in GENERATED], ids=lambda page: page.name
)
def test_every_command_that_is_shown_exists_with_its_options(page: Path):
    for call in list_calls(page):
        words = call.split()
        if words[0] in ("COMMAND", "…", "..."):
            continue
        command, depth = find_command(words)
        assert depth, f"vidcli {call}"
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        for option in re.findall(
            r"(?<!\S)(--?[a-zA-Z][\w-]*)", re.sub(r'"[^"]*"|\'[^\']*\'', "", call)
        ):
            assert option in {*known, "--help", "-h"}, f"vidcli {call}: {option}"


def test_the_readme_shows_many_commands():
    assert len(list_calls(README)) > 20  # so that the test above has something to look at


def test_every_command_has_a_row_in_the_readme():
    rows = re.findall(r"^\| (`[^|]+) \|", README.read_text(), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    root: Any = typer.main.get_command(app)
    assert {name for name, command in root.commands.items() if not command.hidden} <= told


def test_every_package_is_on_the_readme_s_map_and_nothing_else():
    [tree] = re.findall(r"^```\nvidcli/\n(.*?)```", README.read_text(), re.MULTILINE | re.DOTALL)
    packages = {init.parent.name for init in (ROOT / "vidcli").glob("*/__init__.py")}
    assert set(re.findall(r"^ {2}(\w+)/", tree, re.MULTILINE)) == packages
    for module in re.findall(r"\b(\w+\.py)\b", tree):
        assert (ROOT / "vidcli" / module).is_file()


def test_every_dependency_has_a_row_in_the_readme():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = chain(project["dependencies"], *project["optional-dependencies"].values())
    names = {re.split(r"[\[~=<>]", need)[0] for need in wanted} - {"vidcli"}
    rows = "\n".join(re.findall(r"^\| ([^|`]+) \|", README.read_text(), re.MULTILINE))
    missing = {name for name in names if name.removeprefix("pytest-") not in rows}
    assert not missing


def test_the_documentation_is_read_from_the_readme():
    """Every page of docs is linked from the README or from a page that is."""
    seen, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        for target in LINK.findall(page.read_text()):
            file = (page.parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file not in seen and file.is_file():
                waiting.append(file)
    assert {page for page in PAGES if page.parent.name == "docs"} <= seen


def read_session(command: str) -> tuple[list[str], list[str]]:
    """The arguments of a command that the README shows with a prompt, and the lines below it."""
    text = README.read_text()
    [(words, told)] = re.findall(
        rf"^\$ vidcli ({re.escape(command)}.*)\n((?:(?!\$|```).*\n)+)", text, re.MULTILINE
    )
    return shlex.split(words), told.splitlines()


def test_shots_in_the_readme_are_those_of_the_demo_s_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(ROOT / "vidcli/demo/ball-and-star.mp4", tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    words, told = read_session("shots")
    shown = spawn(*words)
    assert (shown.stdout + shown.stderr).splitlines() == told


def test_what_the_readme_reads_on_a_drawn_clip_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for command in ("data synth", "read"):
        words, told = read_session(command)
        assert spawn(*words).stdout.splitlines() == told


def test_the_plan_in_the_readme_has_the_lines_of_a_plan(
    tmp_path: Path, pairs: PairCache, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(ROOT / "vidcli/demo/ball-and-star.mp4", tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    pair = pairs.get("tiny-idefics3")
    words, told = read_session("ask")
    plan = invoke(*words, "--model", str(pair.weights), "--mmproj", str(pair.mmproj))
    written = plan.stdout.splitlines()
    assert [line.split()[0] for line in written] == [line.split()[0] for line in told]
    assert written[:3] == told[:3]
    assert "method   uniform: it lasts at most 30 s" in written
