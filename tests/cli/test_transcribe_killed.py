"""A transcript that is stopped at any moment goes on with the next block, and loses none."""

import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.cli.run import VIDCLI
from tests.cli.test_summarize_killed import kept, stop_after
from tests.clips import ClipCache
from tests.talks import make_talk, monologue
from tests.whisper import silence

UTTERANCES = 100  # one every fifteen seconds: 25 minutes, of which a block is five


@pytest.fixture
def lecture(clips: ClipCache) -> Path:
    samples = np.concatenate([monologue(), silence(7)] * UTTERANCES)
    return clips.build(".mp4", lambda path: make_talk(path, samples), key="lecture")


def start(clip: Path, whisper: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*VIDCLI, "transcribe", str(clip), "--whisper", str(whisper), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_transcript_that_was_stopped_goes_on_where_it_was(
    lecture: Path, whisper: Path, number: signal.Signals
):
    stopped = start(lecture, whisper)
    stdout, stderr = stop_after(stopped, 2, number)
    before = kept()
    if number is signal.SIGINT:
        assert stopped.returncode == 130
        assert "heard and kept: the same command goes on from there" in stderr
    assert stdout == "", "half an answer is none"
    again = start(lecture, whisper)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 0
    segments = json.loads(output)["segments"]
    after = kept()
    assert len(after) >= 5
    assert {key: after[key] for key in before} == before, "what was heard was not heard again"
    starts = [segment["start_s"] for segment in segments]
    assert starts == sorted(set(starts)), "none twice"
    assert len(segments) >= 5, "the model writes one word for half a minute of speech"
    assert segments[-1]["end_s"] > 15 * UTTERANCES - 300
