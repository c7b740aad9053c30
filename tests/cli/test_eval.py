"""`eval` puts every question the way `ask` does, keeps the replies, and says how sure it is."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import cv2
import jsonschema
import pytest

from tests.cli.run import VIDCLI, invoke
from vidcli.output.schema import load_schema
from vidcli.world.synth import Settings, write_set

pytestmark = pytest.mark.usefixtures("model")
SHORT = ("--max-tokens", "6")
CLIPS = 6


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval") / "set"
    settings = Settings(seed=2, split="eval", size=64, fps=8, seconds=(1.0, 1.5), sound=False)
    write_set(folder, settings, CLIPS, jobs=2, progress=lambda *_: None)
    return folder


@pytest.fixture
def questions(written: Path, tmp_path: Path) -> Path:
    """A set of its own for each test."""
    return Path(shutil.copytree(written, tmp_path / "set"))


def read_rows(folder: Path, name: str = "questions.jsonl") -> list[dict]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def evaluate(folder: Path, *options: str) -> dict:
    result = invoke("eval", str(folder), *SHORT, *options, "--json", "--quiet")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, load_schema("eval"))
    return document


def replies(folder: Path) -> dict[str, str]:
    return {row["id"]: row["reply"] for row in read_rows(folder, "predictions.jsonl")}


def test_every_question_gets_the_reply_that_ask_gives(questions: Path):
    document = evaluate(questions, "--limit", "2")
    kept = replies(questions)
    rows = {row["id"]: row for row in read_rows(questions)}
    assert len(kept) == document["runs"][0]["questions"]
    for name in list(kept)[::5]:
        row = rows[name]
        asked = invoke("ask", str(questions / row["video"]), row["question"], *SHORT, "--json")
        assert json.loads(asked.stdout)["answer"] == kept[name]


def test_accuracies_are_those_of_the_replies(questions: Path):
    """The replies kept are made right by hand; the next run takes them as they are."""
    evaluate(questions)
    rows = {row["id"]: row for row in read_rows(questions)}
    path = questions / "predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        row = rows[line["id"]]
        line["reply"] = {"presence": "yes", "order": row.get("reversed")}.get(
            row["kind"], row["answer"]
        )
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (run,) = evaluate(questions)["runs"]
    assert path.read_text() == "".join(f"{json.dumps(line)}\n" for line in lines)
    kinds = {kind["kind"]: kind for kind in run["kinds"]}
    assert set(kinds) == {row["kind"] for row in rows.values()}
    for name, kind in kinds.items():
        wanted = {"presence": 0.5, "order": 0.0}.get(name, 1.0)
        assert kind["accuracy"] == wanted, name
        assert kind["n"] == sum(row["kind"] == name for row in rows.values())
        low, high = kind["interval_95"]
        assert low <= wanted <= high
        assert kind["no_answer"] == 0
        parts = kind["trained_wordings"]["n"], kind["held_out_wordings"]["n"]
        assert sum(parts) == kind["n"]
    assert kinds["presence"]["chance"] == 0.5
    assert kinds["order"]["answer_of_reversed"]["accuracy"] == 1.0
    assert kinds["caption"]["chance"] is None


def test_the_table_has_a_row_for_each_kind_and_their_mean(questions: Path):
    result = invoke("eval", str(questions), *SHORT, "--limit", "1", "--controls")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    kinds = sorted({row["kind"] for row in read_rows(questions)})
    assert [line.split()[0] for line in lines] == ["kind", *kinds, "mean"]
    for word in ("95 %", "guessing", "no frames %", "reversed %", "no answer"):
        assert word in lines[0]
    assert f"{3 * len(kinds)} questions, {3 * len(kinds)} of them asked now" in result.stderr
    assert "frames" in result.stderr
    assert "a question" in result.stderr


def test_controls_change_what_the_model_is_shown(questions: Path):
    """11.C: the controls `--no-frames` and `--reverse` run."""
    plain, blind, turned = evaluate(questions, "--kind", "order", "--controls")["runs"]
    assert [run["shown"] for run in (plain, blind, turned)] == ["frames", "no frames", "reversed"]
    assert (plain["mean_frames"], blind["mean_frames"], turned["mean_frames"]) == (8, 0, 8)
    assert blind["mean_visual_tokens"] == 0 < plain["mean_visual_tokens"]
    lines = read_rows(questions, "predictions.jsonl")
    said = [[line["reply"] for line in lines if line["id"] == lines[0]["id"]]]
    assert len(said[0]) == 3
    for option, run in (("--no-frames", blind), ("--reverse", turned)):
        (alone,) = evaluate(questions, "--kind", "order", option)["runs"]
        assert alone == run


def test_a_second_run_asks_nothing_and_a_changed_setting_asks_again(questions: Path):
    """11.C: `eval` repeats nothing; another prompt or frame policy asks again."""
    first = invoke("eval", str(questions), *SHORT, "--kind", "colour")
    count = len(replies(questions))
    assert f"{count} questions, {count} of them asked now" in first.stderr
    again = invoke("eval", str(questions), *SHORT, "--kind", "colour")
    assert f"{count} questions, 0 of them asked now" in again.stderr
    assert again.stdout == first.stdout
    changes = (
        ("--frames", "3"),
        ("--instruction", "Answer in one word."),
        ("--max-tokens", "5"),
        ("--detail", "low"),
    )
    for change in changes:
        other = invoke("eval", str(questions), *SHORT, "--kind", "colour", *change)
        assert f"{count} questions, {count} of them asked now" in other.stderr, change


def test_a_changed_video_is_asked_about_again(questions: Path):
    evaluate(questions, "--kind", "colour")
    asked = [row["video"] for row in read_rows(questions) if row["kind"] == "colour"]
    one, other = sorted(set(asked))[:2]
    shutil.copy(questions / other, questions / one)
    result = invoke("eval", str(questions), *SHORT, "--kind", "colour")
    assert f"{len(asked)} questions, {asked.count(one)} of them asked now" in result.stderr


def test_a_killed_run_goes_on_where_it_was(questions: Path):
    """11.C: `eval` resumes without repeating."""
    whole = evaluate(questions)
    expected = replies(questions)
    path = questions / "predictions.jsonl"
    path.unlink()
    command = [*VIDCLI, "eval", str(questions), *SHORT, "--quiet"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (path.exists() and path.read_bytes().count(b"\n") >= 5):
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = path.read_bytes().count(b"\n")
    assert before < len(expected)
    after = evaluate(questions)
    names = [row["id"] for row in read_rows(questions, "predictions.jsonl")]
    assert len(names) == len(set(names)) == len(expected)
    assert replies(questions) == expected
    scores = [[(kind["kind"], kind["right"], kind["n"]) for kind in document["runs"][0]["kinds"]]
              for document in (whole, after)]  # fmt: skip
    assert scores[0] == scores[1]


def test_a_broken_video_costs_its_own_questions_only(questions: Path):
    rows = read_rows(questions)
    broken = rows[0]["video"]
    (questions / broken).write_bytes(b"")
    result = invoke("eval", str(questions), *SHORT, "--json")
    assert result.exit_code == 8
    (run,) = json.loads(result.stdout)["runs"]
    assert run["failed_videos"] == 1
    assert run["questions"] == sum(row["video"] != broken for row in rows)
    assert "empty file" in result.stderr
    assert f"1 of {CLIPS} videos failed" in result.stderr


def test_the_plot_is_a_png(questions: Path, tmp_path: Path):
    picture = tmp_path / "p.png"
    evaluate(questions, "--limit", "1", "--plot", str(picture))
    image = cv2.imread(str(picture))
    assert image is not None
    assert image.shape[0] > 200


def test_wrong_replies_are_shown_to_those_who_ask(questions: Path):
    result = invoke("eval", str(questions), *SHORT, "--limit", "1", "--kind", "colour", "-v")
    reply = next(iter(replies(questions).values()))
    assert repr(reply) in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--no-frames", "--reverse"), "give one of them"),
        (("--controls", "--reverse"), "give one of them"),
        (("--kind", "smell"), "no question of the kind 'smell'"),
        (("--plot", "p.jpg"), "is no PNG"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(questions: Path, options: tuple[str, ...], said: str):
    result = invoke("eval", str(questions), *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert not (questions / "predictions.jsonl").exists()


def test_no_set_and_no_model_have_their_own_exit_codes(questions: Path, tmp_path: Path):
    assert invoke("eval", str(tmp_path / "none")).exit_code == 2
    result = invoke("eval", str(questions), "--model", str(tmp_path / "none.gguf"))
    assert (result.exit_code, result.stdout) == (4, "")


def test_replies_that_cannot_be_kept_are_a_resource_error(questions: Path):
    result = invoke("eval", str(questions), *SHORT, "--predictions", "/proc/nowhere/p.jsonl")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "--predictions" in result.stderr


def test_an_interrupt_keeps_the_replies_and_says_where(questions: Path):
    path = questions / "predictions.jsonl"
    running = subprocess.Popen(
        [*VIDCLI, "eval", str(questions), *SHORT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (path.exists() and path.read_bytes().count(b"\n") >= 5):
        assert running.poll() is None, "it ended before it could be interrupted"
        time.sleep(0.001)
    running.send_signal(signal.SIGINT)
    out, told = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert f"new replies are kept in {path}" in told
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_set_is_asked_by_the_method_that_is_named(questions: Path):
    shown = {}
    for name in ("grid", "uniform"):
        document = evaluate(questions, "--limit", "1", "--method", name)
        assert document["settings"]["method"] == name
        shown[name] = document["runs"][0]["mean_visual_tokens"]
    assert shown["grid"] == 16 < shown["uniform"]  # replies of the one are none of the other
