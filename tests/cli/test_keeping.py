"""What options of a run may say, and what they may not say together."""

import pytest
import typer

from vidcli.cli.keeping import Keeping, Shard, read_shard
from vidcli.errors import UsageError
from vidcli.output.forms import Form


@pytest.mark.parametrize("text", ["0/2", "3/2", "a/b", "1", "1/0", "-1/2"])
def test_a_shard_that_is_none_is_refused(text: str):
    with pytest.raises(typer.BadParameter):
        read_shard(text)


def test_shards_part_the_videos():
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    for n in range(100):
        assert sum(shard.has(f"{n * 7919:032x}") for shard in shards) == 1


def test_a_shard_is_read_as_it_is_written():
    assert str(read_shard("2/8")) == "2/8"


def test_json_is_the_form_where_it_is_asked_for():
    assert Keeping().choose_form(json=False, many=True) is Form.TEXT
    assert Keeping().choose_form(json=True, many=True) is Form.JSON
    assert Keeping(form=Form.SRT, sidecar=True).choose_form(json=True, many=True) is Form.SRT


@pytest.mark.parametrize(
    ("keeping", "json"),
    [
        (Keeping(form=Form.CSV), True),
        (Keeping(form=Form.SRT), False),
        (Keeping(sidecar=True, out_dir="o"), False),  # type: ignore[arg-type]
    ],
)
def test_what_contradicts_itself_is_a_usage_error(keeping: Keeping, json: bool):
    with pytest.raises(UsageError):
        keeping.choose_form(json=json, many=True)
