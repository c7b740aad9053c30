"""`vidcli train` without the extra, and its command line; training itself is in tests/train."""

import pytest

from tests.cli.run import invoke
from vidcli.train import extra


@pytest.mark.parametrize("command", ["pretrain", "tune", "export"])
def test_without_the_extra_the_pip_line_is_told(command, monkeypatch):
    monkeypatch.setattr(extra, "NEEDED", ("sys", "no_such_package_anywhere"))
    words = ["--data", "x"] if command != "export" else ["x"]
    result = invoke("train", command, *words, "--out", "y")
    assert result.exit_code == 7
    assert "training needs no_such_package_anywhere, which is not installed" in result.stderr
    assert "pip install 'vidcli[train]'" in result.stderr


def test_the_help_of_training_needs_nothing():
    for words in (["train"], ["train", "pretrain"], ["train", "tune"], ["train", "export"]):
        result = invoke(*words, "--help")
        assert result.exit_code == 0
        assert "Usage: vidcli train" in result.stdout
