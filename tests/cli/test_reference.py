"""The command reference says what the app says."""

from pathlib import Path

from vidcli.cli.reference import MEANINGS, render
from vidcli.errors import ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
README = Path(__file__).parents[2] / "README.md"


def test_the_command_reference_is_current() -> None:
    assert PAGE.read_text() == render(), "run: python -m vidcli.cli.reference docs/commands.md"


def test_every_exit_code_is_explained_in_the_reference_and_the_readme() -> None:
    assert set(MEANINGS) == set(ExitCode)
    for code in ExitCode:
        assert f"| {code.value} | " in README.read_text()
