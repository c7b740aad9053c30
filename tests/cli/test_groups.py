"""Options are read as people write them, and nonsense is a usage error before any file is read."""

import shlex
from fractions import Fraction
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from vidcli.cli.footage import resolve_selection
from vidcli.cli.groups import Device, Loading, Looking, Telling, Writing, takes_groups
from vidcli.cli.options import Selection, read_size
from vidcli.core.model import Detail, LoadOptions
from vidcli.core.sampling import Sampling
from vidcli.errors import UsageError

app = typer.Typer(rich_markup_mode=None)
seen: list[object] = []


@app.command()
@takes_groups
def look(
    video: Annotated[str, typer.Argument()],
    looking: Looking,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    extra: Annotated[bool, typer.Option("--extra")] = False,
) -> None:
    """Keep what was read."""
    seen[:] = [video, looking, loading, writing, telling, extra]


def read(*args: str) -> list[object]:
    result = CliRunner().invoke(app, ["clip.mp4", *args], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return seen


def test_groups_arrive_whole_with_their_defaults(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("VIDCLI_MODEL", raising=False)
    monkeypatch.delenv("VIDCLI_MMPROJ", raising=False)
    video, looking, loading, writing, telling, extra = read()
    assert (video, extra) == ("clip.mp4", False)
    assert (looking, loading, telling) == (Looking(), Loading(), Telling())
    assert isinstance(writing, Writing)
    assert writing.sampling() == Sampling()
    assert isinstance(loading, Loading)
    assert loading.load_options() == LoadOptions()


def test_what_is_given_arrives_in_its_group():
    _, looking, loading, writing, telling, extra = read(
        *shlex.split("--frames 7 --fps 0.5 --select fps --from 1:30 --to 2m --max-gap 10"),
        *shlex.split("--detail low --n-ctx 512 --gpu-layers 3 --mmproj-device cpu --no-cache"),
        *shlex.split("--temperature 0.5 --seed 7 --json --quiet --extra"),
    )
    assert looking == Looking(
        frames=7,
        fps=0.5,
        select=Selection.FPS,
        start=Fraction(90),
        end=Fraction(120),
        max_gap=Fraction(10),
    )
    assert isinstance(loading, Loading)
    assert (loading.mmproj_device, loading.no_cache) == (Device.CPU, True)
    assert loading.load_options() == LoadOptions(
        n_ctx=512, gpu_layers=3, mmproj_gpu=False, detail=Detail.LOW
    )
    assert isinstance(writing, Writing)
    assert writing.sampling(grammar="g") == Sampling(temperature=0.5, seed=7, grammar="g")
    assert telling == Telling(json=True, quiet=True)
    assert extra


def test_model_and_machine_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "MODEL": "/m.gguf", "MMPROJ": "/p.gguf", "N_CTX": "512", "GPU_LAYERS": "auto",
        "MAIN_GPU": "1", "MMPROJ_DEVICE": "cpu", "THREADS": "3",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"VIDCLI_{name}", value)
    loading = read("--threads", "2")[2]
    assert isinstance(loading, Loading)
    assert (str(loading.model), str(loading.mmproj)) == ("/m.gguf", "/p.gguf")
    assert loading.load_options() == LoadOptions(
        n_ctx=512, gpu_layers=-1, main_gpu=1, mmproj_gpu=False, threads=2
    )


@pytest.mark.parametrize(
    "args",
    [
        "--frames 0", "--frames -1", "--frames many", "--frames 1.5", "--frames ٣",
        "--fps 0", "--fps -1", "--fps nan", "--from abc", "--to 1:99", "--max-gap 0",
        "--select best", "--detail huge", "--n-ctx 10", "--gpu-layers some", "--threads -1",
        "--max-tokens 0", "--temperature -1", "--temperature nan", "--top-p 2", "--min-p nan",
        "--repeat-penalty 0", "--seed -1", "--main-gpu -1", "--mmproj-device tpu",
    ],
)  # fmt: skip
def test_nonsense_is_a_usage_error(args: str):
    result = CliRunner().invoke(app, ["clip.mp4", *args.split()], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (2, "")
    assert args.split()[0] in result.stderr


@pytest.mark.parametrize(
    ("looking", "rule"),
    [
        (Looking(), Selection.UNIFORM),
        (Looking(frames=3), Selection.UNIFORM),
        (Looking(fps=2.0), Selection.FPS),
        (Looking(max_gap=Fraction(5)), Selection.SHOTS),
        (Looking(select=Selection.KEYFRAMES), Selection.KEYFRAMES),
        (Looking(select=Selection.FPS), Selection.FPS),
    ],
)
def test_options_together_choose_the_rule(looking: Looking, rule: Selection):
    assert resolve_selection(looking) is rule


@pytest.mark.parametrize(
    "looking",
    [
        Looking(fps=2.0, select=Selection.SHOTS),
        Looking(fps=2.0, max_gap=Fraction(5)),
        Looking(max_gap=Fraction(5), select=Selection.UNIFORM),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(looking: Looking):
    with pytest.raises(UsageError):
        resolve_selection(looking)


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("1000", 1000), ("0", 0), ("2GB", 2 * 10**9), ("2gib", 2 << 30), ("1.5k", 1500), ("7b", 7)],
)
def test_sizes_are_read_as_people_write_them(text: str, n_bytes: int):
    assert read_size(text) == n_bytes
