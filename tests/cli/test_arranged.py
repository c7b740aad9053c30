"""A bundle whose frames are pooled, in use: what a user is told of it."""

import json
from pathlib import Path

import pytest

from tests.cli.run import invoke
from tests.pairs import PairCache
from vidcli.methods.arrange import POOL
from vidcli.models.bundle import Bundle, place_file, write_bundle
from vidcli.models.digest import digest_model

PLACES = 16  # tokens a frame of either model
pytestmark = pytest.mark.usefixtures("model")


def pooling_bundle(pairs: PairCache, shape: str, folder: Path) -> Path:
    """A tiny random model that is shown pooled tokens."""
    folder.mkdir()
    made = pairs.get(shape)
    weights, mmproj = (place_file(path, folder / path.name) for path in (made.weights, made.mmproj))
    digests = {"weights": digest_model(weights), "mmproj": digest_model(mmproj)}
    bundle = Bundle(
        folder, shape, weights, mmproj, None, digests, {"source": "a test"}, "x/1", 4,
        arrangement=POOL,
    )  # fmt: skip
    write_bundle(bundle)
    return folder


@pytest.mark.parametrize(
    ("shape", "is_approximate"), [("tiny-idefics3", False), ("tiny-llava", True)]
)
def test_pooling_behind_a_projector_that_is_not_linear_is_said_to_be_an_approximation(
    shape: str, is_approximate: bool, pairs: PairCache, clip: Path, tmp_path: Path
):
    """Video-ChatGPT: an MLP projector prints the warning "approximation", a linear one none."""
    folder = pooling_bundle(pairs, shape, tmp_path / "bundle")
    result = invoke("ask", str(clip), "?", "--model", str(folder), "--max-tokens", "2", "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["usage"]["visual_tokens"] == len(answer["frames"]) + PLACES
    assert ("approximation" in result.stderr) == is_approximate
    assert any("approximation" in text for text in answer["warnings"]) == is_approximate
