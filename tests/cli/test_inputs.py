"""Files, directories, patterns and lists stand for the same inputs in the same order everywhere."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.run import invoke, shell, spawn
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.listing import Filter, walk
from vidcli.errors import UsageError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Videos at three depths among other files."""
    root = tmp_path / "tree"
    names = ("b.mp4", "a.MKV", "notes.txt", ".hidden.mp4", "sub/c.webm", "sub/deep/d.mov")
    for name in (*names, ".git/e.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(*words: str, **options: object) -> list[str]:
    return [item.path for item in gather(words, Choosing(**options)).files]  # type: ignore[arg-type]


def test_a_directory_stands_for_its_videos_and_recursively_for_those_below(tree: Path):
    assert found(str(tree)) == [f"{tree}/a.MKV", f"{tree}/b.mp4"]
    assert found(str(tree), recursive=True) == [
        f"{tree}/{name}" for name in ("a.MKV", "b.mp4", "sub/c.webm", "sub/deep/d.mov")
    ]


def test_include_and_exclude_choose_by_name_or_by_path_below(tree: Path):
    assert found(str(tree), include=["*.txt", "b.*"]) == [f"{tree}/b.mp4", f"{tree}/notes.txt"]
    assert found(str(tree), recursive=True, exclude=["sub/*"]) == found(str(tree))
    assert found(f"{tree}/b.mp4", f"{tree}/a.MKV", exclude=["b.*"]) == [f"{tree}/a.MKV"]


def test_a_pattern_that_the_shell_left_alone_is_expanded_and_a_real_name_is_not(tree: Path):
    assert found(f"{tree}/*.mp4") == [f"{tree}/b.mp4"]
    assert found(f"{tree}/**/*.[mw]*[4m]") == [f"{tree}/b.mp4", f"{tree}/sub/c.webm"]
    odd = tree / "[ab].mp4"
    odd.touch()
    assert found(str(odd)) == [str(odd)]


def test_a_home_in_a_quoted_pattern_is_the_users(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tree))
    assert found("~/*.mp4") == [f"{tree}/b.mp4"]


def test_a_pattern_that_matches_nothing_fails_as_an_input_and_not_the_run(tree: Path):
    assert found(f"{tree}/*.none") == [f"{tree}/*.none"]


def test_links_in_circles_end_and_nothing_comes_twice(tree: Path):
    (tree / "loop").symlink_to(tree)
    (tree / "sub" / "up").symlink_to(tree / "sub")
    (tree / "again").symlink_to(tree / "sub" / "deep")
    (tree / "self.mp4").symlink_to("self.mp4")
    (tree / "gone.mp4").symlink_to("nowhere.mp4")
    assert found(str(tree), recursive=True) == [
        f"{tree}/{name}" for name in ("a.MKV", "b.mp4", "sub/c.webm", "sub/deep/d.mov")
    ]


def test_a_linked_directory_elsewhere_is_walked(tree: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.mp4").touch()
    (tree / "link").symlink_to(tmp_path / "other")
    assert f"{tree}/link/x.mp4" in found(str(tree), recursive=True)


def test_what_lies_below_is_named_from_the_directory_given(tree: Path):
    items = walk(str(tree), Filter(recursive=True))
    assert [item.below for item in items] == ["a.MKV", "b.mp4", "sub/c.webm", "sub/deep/d.mov"]


def test_names_that_are_no_text_are_found_and_sorted(tmp_path: Path):
    folder = os.fsencode(tmp_path)
    for name in (b"\xff.mp4", b"two\nlines.mp4", b"a.mp4"):
        try:
            open(os.path.join(folder, name), "wb").close()
        except OSError:
            pytest.skip("this file system does not hold such a name")
    names = [os.fsencode(path)[len(folder) + 1 :] for path in found(str(tmp_path))]
    assert names == [b"a.mp4", b"two\nlines.mp4", b"\xff.mp4"]


def test_one_named_file_is_no_run_and_whatever_could_be_many_is(tree: Path):
    assert not gather([f"{tree}/b.mp4"], Choosing()).many
    for words in ([str(tree)], [f"{tree}/*.mp4"], ["x.mp4", "y.mp4"]):
        assert gather(words, Choosing()).many


@pytest.mark.parametrize(
    ("words", "options", "hint"),
    [
        (["{tree}/sub/deep/.."], {"include": ["*.mp4"]}, None),
        (["{tree}/empty"], {}, "--recursive"),
        (["{tree}/empty"], {"recursive": True}, "--include"),
        (["-", "-"], {}, "./-"),
        (["a.mp4"], {"from0": True}, "--from0"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    tree: Path, words: list[str], options: dict[str, object], hint: str | None
):
    (tree / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        found(*(word.format(tree=tree) for word in words), **options)
    assert hint is None or hint in str(caught.value.hint)


def test_find_print0_hands_over_any_name(clip: Path, tmp_path: Path):
    names = ["plain.mp4", "two\nlines.mp4", " spaces 'and' quotes .mp4", "-dash.mp4", "*.mp4"]
    for name in names:
        shutil.copy(clip, tmp_path / name)
    script = 'cd "$1" && find . -type f -print0 | $VIDCLI info - --from0 --json'
    done = shell(script, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    paths = [json.loads(line)["path"] for line in done.stdout.splitlines()]
    assert sorted(paths) == sorted(f"./{name}" for name in names)


def test_a_list_of_lines_is_read_as_it_stands(clip: Path, tmp_path: Path):
    shutil.copy(clip, tmp_path / "a b.mp4")
    done = spawn("info", "-", "--json", input=f"{clip}\n\n{tmp_path}/a b.mp4\n")
    assert done.returncode == 0
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == [
        str(clip),
        f"{tmp_path}/a b.mp4",
    ]


def test_an_empty_list_is_nothing_to_do():
    done = spawn("info", "-", stdin=-3)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_directory_is_told_about_like_its_files(clip: Path, tmp_path: Path):
    shutil.copy(clip, tmp_path / "one.mp4")
    result = invoke("shots", str(tmp_path), "--format", "csv")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].startswith(f"{tmp_path}/one.mp4,1,")
