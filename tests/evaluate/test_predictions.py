"""Replies survive whatever ends the run."""

from pathlib import Path

from vidcli.evaluate.predictions import Prediction, Predictions


def make(key: str, reply: str = "yes") -> Prediction:
    return Prediction(key, "1", reply, 0.5, 8, 72, "stop")


def test_replies_are_found_again_by_the_key_they_were_kept_under(tmp_path: Path):
    path = tmp_path / "deep" / "p.jsonl"
    with Predictions(path) as kept:
        assert kept.find("a") is None
        kept.add(make("a", "ja\u2028nein \U0001f600"))
        assert kept.find("a") == make("a", "ja\u2028nein \U0001f600")
    with Predictions(path) as kept:
        assert kept.find("a") == make("a", "ja\u2028nein \U0001f600")
        assert kept.find("b") is None


def test_a_line_half_written_is_passed_over_and_spoils_no_other(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    with Predictions(path) as kept:
        kept.add(make("a"))
        kept.add(make("b"))
    path.write_bytes(path.read_bytes()[:-20])
    with Predictions(path) as kept:
        assert kept.find("a") is not None
        assert kept.find("b") is None
        kept.add(make("c"))
    with Predictions(path) as kept:
        assert {key for key in "abc" if kept.find(key)} == {"a", "c"}


def test_lines_of_another_shape_are_passed_over(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    path.write_text('[]\n{"key": "a"}\nnull\n')
    with Predictions(path) as kept:
        assert kept.find("a") is None
        kept.add(make("a"))
        assert kept.find("a")


def test_what_was_kept_last_counts(tmp_path: Path):
    path = tmp_path / "p.jsonl"
    with Predictions(path) as kept:
        kept.add(make("a", "yes"))
        kept.add(make("a", "no"))
    with Predictions(path) as kept:
        found = kept.find("a")
    assert found is not None
    assert found.reply == "no"
