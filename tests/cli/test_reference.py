"""The reference pages say what the app says."""

from pathlib import Path

import pytest

from vidcli.cli.reference import MEANINGS, PAGES
from vidcli.errors import ExitCode

DOCS = Path(__file__).parents[2] / "docs"
README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_current(name: str) -> None:
    written = (DOCS / name).read_text()
    assert written == PAGES[name](), "run: python -m vidcli.cli.reference docs"


def test_every_exit_code_is_explained_in_the_reference_and_the_readme() -> None:
    assert set(MEANINGS) == set(ExitCode)
    for code in ExitCode:
        assert f"| {code.value} | " in README.read_text()
