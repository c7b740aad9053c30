"""`eval` warns where a bundle is asked about videos that it was trained on."""

import json
import shutil

import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import jsonschema

from tests.cli.run import invoke
from tests.train.conftest import TAUGHT
from vidcli.output.schema import load_schema

pytestmark = pytest.mark.train


def write_set(folder, videos):
    """One question a video; videos by the name they get."""
    folder.mkdir()
    rows = []
    for name, source in videos.items():
        shutil.copy(source, folder / name)
        row = {"id": name, "video": name, "kind": "colour", "question": "Which colour?"}
        rows.append({**row, "answer": "red", "options": ["red", "blue"]})
    (folder / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


@pytest.mark.parametrize("is_learnt", [True, False])
def test_a_set_with_videos_of_training_is_warned_of(is_learnt, tuned, world, tmp_path):
    """11.C: no evaluation video may be in the training data of the bundle in use."""
    videos = {"other.mp4": world.video(TAUGHT), "new.mp4": world.video(TAUGHT + 1)}
    if is_learnt:
        videos |= {"renamed.mp4": world.video(3), "t05.mp4": world.video(TAUGHT + 2)}
    folder = write_set(tmp_path / "set", videos)
    result = invoke(
        "eval", str(folder), "--model", str(tuned.folder), "--max-tokens", "4", "--threads", "1",
        "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("eval"))
    assert len(document["warnings"]) == (2 if is_learnt else 0)
    for said in ("1 of 4 videos (renamed.mp4) is among", "1 of 4 videos (t05.mp4) is called as"):
        assert (said in result.stderr) == is_learnt
        assert any(said in text for text in document["warnings"]) == is_learnt
