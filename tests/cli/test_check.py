"""`check` answers by its exit code; `caption` by a paragraph."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.cli.run import invoke, shell
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.usefixtures("model")
STATEMENT = "a person is visible"


def test_the_threshold_decides_and_the_exit_code_says_it(clip: Path):
    yes = invoke("check", str(clip), STATEMENT, "--threshold", "0")
    no = invoke("check", str(clip), STATEMENT, "--threshold", "1")
    assert (yes.exit_code, no.exit_code) == (0, 1)
    assert re.fullmatch(r"yes [01]\.\d{3}\n", yes.stdout)
    assert re.fullmatch(r"no [01]\.\d{3}\n", no.stdout)
    assert yes.stdout.split()[1] == no.stdout.split()[1]


def test_json_carries_statement_verdict_and_probability(clip: Path):
    result = invoke("check", str(clip), STATEMENT, "--threshold", "1", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("check"))
    assert (document["statement"], document["holds"]) == (STATEMENT, False)
    assert 0 < document["probability"] < 1


def test_it_serves_a_shell(clip: Path):
    check = '$VIDCLI check "$1" "$2" --threshold %s --quiet'
    script = f"if {check} > /dev/null; then echo y; else echo n; fi"
    for threshold, said in (("0", "y\n"), ("1", "n\n")):
        done = shell(script % threshold, str(clip), STATEMENT)
        assert (done.stdout, done.stderr) == (said, "")


def test_a_reader_that_is_gone_changes_no_verdict(clip: Path):
    script = '{ sleep 1; $VIDCLI check "$1" x --threshold 1 --quiet; echo $? >&2; } | true'
    assert shell(script, str(clip)).stderr == "1\n"


@pytest.mark.parametrize("threshold", ["-0.1", "1.1", "nan", "x"])
def test_a_threshold_that_is_no_probability_is_a_usage_error(clip: Path, threshold: str):
    result = invoke("check", str(clip), STATEMENT, "--threshold", threshold)
    assert (result.exit_code, result.stdout) == (2, "")


def test_an_empty_statement_is_a_usage_error(clip: Path):
    assert invoke("check", str(clip), " ").exit_code == 2


def test_a_broken_video_is_no_no(broken: Path):
    result = invoke("check", str(broken), STATEMENT)
    assert (result.exit_code, result.stdout) == (3, "")


def test_captions_of_many_videos_are_json_lines(clip: Path, broken: Path):
    result = invoke("caption", str(clip), str(broken), "--json", "--max-tokens", "8")
    assert result.exit_code == 8
    caption, error = (json.loads(line) for line in result.stdout.splitlines())
    jsonschema.validate(caption, load_schema("caption"))
    jsonschema.validate(error, load_schema("error"))
    assert caption["caption"]


def test_a_caption_is_text_on_stdout(clip: Path):
    result = invoke("caption", str(clip), "--max-tokens", "8")
    assert result.exit_code == 0
    assert result.stdout.strip()
    assert result.stdout.endswith("\n")
