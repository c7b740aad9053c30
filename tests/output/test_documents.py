"""Every document is what its schema says, and carries what the result holds."""

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from tests.output.agents import (
    make_agent_rehearsal,
    make_agent_result,
    make_calls,
    make_tools,
    make_traced,
)
from tests.output.moment_reports import make_dense, make_found, make_things, make_track
from tests.output.results import (
    STREAM,
    make_answer,
    make_curve,
    make_info,
    make_rehearsal,
    make_route,
    make_summary,
    make_summary_rehearsal,
)
from tests.output.text_reports import make_screen, make_transcript
from vidcli.core.camera import CameraMove, ShotDetails
from vidcli.core.catalog import FileRole, InstalledModel, Kind, MemoryBill, StoredFile
from vidcli.core.detections import Action, Detection, Guess, Window
from vidcli.core.findings import Finding, Level
from vidcli.core.media import Coverage, Shot, Transition
from vidcli.core.prompt import TracedPart
from vidcli.core.results import Timings
from vidcli.core.search import Scored, Searched
from vidcli.core.summary import TracedStep
from vidcli.core.time import Span, Timestamp
from vidcli.core.tracks import Box, Track
from vidcli.errors import MediaError
from vidcli.evaluate.predictions import Prediction
from vidcli.evaluate.sets import EvalQuestion
from vidcli.evaluate.vcgbench import Aspect, AspectScore
from vidcli.library.journal_care import JournalFacts
from vidcli.methods.auto import RULES
from vidcli.methods.registry import METHODS
from vidcli.models.bundle import Bundle
from vidcli.models.catalog import find_model
from vidcli.output import (
    accounts,
    agents,
    classification,
    datasets,
    dense,
    documents,
    evaluations,
    highlights,
    methods,
    models,
    moments,
    screen_text,
    search,
    summaries,
    tool_plans,
    training,
    transcripts,
    vcgbench,
)
from vidcli.output.doctor import doctor_document
from vidcli.output.schema import list_schemas, load_schema
from vidcli.output.settings import settings_document
from vidcli.output.sightings import actions_document, detections_document
from vidcli.output.tables import say_evidence
from vidcli.settings import Problem, find

SHOTS = [
    Shot(Span(Fraction(0), Fraction(4, 3)), Transition.START),
    Shot(Span(Fraction(4, 3), Fraction(2)), Transition.CUT),
]
COVERAGE = Coverage(Span(Fraction(0), Fraction(2)), 1, Span(Fraction(1), Fraction(2)))
ROW = SimpleNamespace(name="decode", ours=1.0, baseline=2.0, unit="s", ratio=None, note="")
TRACED = [
    TracedPart("Watch: ", (5, 6), (), 0, 0, 0),
    TracedPart("", (7, 8), make_answer().frames, 64, 2, 2),
]
UNKNOWN_STREAM = {
    "average_rate": None,
    "is_vfr": None,
    "pixel_format": None,
    "color_transfer": None,
}


DETAILS = [
    ShotDetails(CameraMove.LEFT, (-0.1, 0.0), 1.0, 0.25, 0.5, 2, 12),
    *[ShotDetails(CameraMove.UNCLEAR, None, None, None, None, None, 0)] * (len(SHOTS) - 1),
]


def make_documents() -> dict[str, documents.Document]:
    entry = {
        "file": None,
        "time_s": 1.0,
        "wanted_s": 1.0,
        "reason": "uniform",
        "is_keyframe": True,
        "width": 2,
        "height": 2,
    }
    return {
        "agent": agents.agent_document(make_agent_result(steps=True)),
        "agent-plan": agents.agent_plan_document(make_agent_rehearsal()),
        "agent-tools": agents.tools_document(make_tools()),
        "agent-trace": agents.agent_trace_document(
            make_answer().video,
            "What?",
            (make_answer().model, make_answer().model),
            make_traced(),
            make_calls(),
        ),
        "answer": documents.answer_document(make_answer()),
        "caption": documents.caption_document(make_answer()),
        "check": documents.check_document(make_answer(), probability=0.75, threshold=0.5),
        "classification": classification.classification_document(make_answer(), multi=False),
        "chapters": summaries.chapters_document(make_summary()),
        "search": search.search_document(
            "a ball",
            [Scored("a.mp4", "f" * 32, Span(Fraction(1), Fraction(2)), 0.25)],
            left_out=1,
            threshold=None,
            searched=Searched(videos=1, windows=3, frames=9, encoded=2),
            model=make_answer().model,
            timings=Timings(total=1.25),
            warnings=["of the disk"],
        ),
        "highlights": highlights.choose_runs(
            highlights.curve_document(make_curve()), [(0, 0)], threshold=0.5
        ),
        "moments": moments.moments_document(
            replace(make_found(), things=make_things([make_track((0.5, 0.1, 0.9))], [])),
            window_s=1.0,
            step_s=1.0,
        ),
        "dense": dense.dense_document(
            make_dense(),
            bins=[(0, 49)],
            sequence="<0><49> A cat sits.",
            spoken=[(49, 99)],
            said="<49><99> Hi.",
        ),
        "info": documents.info_document(make_info()),
        "shots": documents.shots_document(make_info(), SHOTS, ["x"], DETAILS),
        "frames": documents.frames_document(
            make_info(), [entry], rule="uniform", sheet=None, coverage=COVERAGE, warnings=[]
        ),
        "error": documents.error_document("x.mp4", MediaError("x.mp4 is empty", hint=None)),
        "cache": documents.cache_document(
            "/c",
            [("tokens", 1, 5)],
            max_bytes=9,
            freed_bytes=0,
            journal=JournalFacts(Path("/j"), 9, 2, 1, 1),
            forgotten=0,
        ),
        "config": settings_document(
            [find("n_ctx"), replace(find("model"), problem="is empty")],
            file=Path("/c"),
            problems=[Problem(0, "it cannot be read")],
        ),
        "doctor": doctor_document([("disk", Finding("folder", Level.WARNING, "full", "rm"))]),
        **make_model_documents(),
        "screen-text": screen_text.screen_document(make_screen()),
        "transcript": transcripts.transcript_document(
            make_answer().video, make_transcript(), COVERAGE.span, reason="", warnings=["x"]
        ),
        **make_sighting_documents(),
        "synth": documents.synth_document(
            "set", split="eval", seed=1, clips=2, made=1, questions={"object": 3}
        ),
        "eval": make_eval_document(),
        "vcgbench": make_vcgbench_document(),
        **make_training_documents(),
        "bench": documents.bench_document([ROW], threads=2),
        "plan": accounts.plan_document(make_rehearsal()),
        "methods": methods.methods_document(
            list(METHODS.values()), [(rule.when, rule.method) for rule in RULES]
        ),
        "method-trace": methods.method_trace_document(
            make_answer().video, "What?", make_answer().model, make_answer().approach, [{"a": 1}]
        ),
        "trace": accounts.trace_document(
            make_answer().video, "What happens?", make_answer().model, TRACED
        ),
        "chat": accounts.chat_document([make_answer()]),
        "summary": summaries.summary_document(make_summary()),
        "summary-plan": summaries.summary_plan_document(make_summary_rehearsal()),
        "summary-trace": summaries.summary_trace_document(
            make_answer().video,
            make_answer().model,
            [TracedStep("segment 1", tuple(TRACED), "A dog.", is_kept=False)],
        ),
        "tool-plan": tool_plans.tool_plan_document(
            tool_plans.ToolPlan(
                video=make_answer().video,
                command="read",
                span=Span(Fraction(0), Fraction(2)),
                tool="a reader",
                unit="pictures",
                amount=3,
            )
        ),
        **make_dataset_documents(),
    }


def make_dataset_documents() -> dict[str, documents.Document]:
    told = datasets.NarrationCount(rows=1, told_s=2.0, texted_s=1.0, whole_s=2.0)
    told.videos["done"] = told.clips["new"] = told.texts["narrated"] = told.dropped["loop"] = 1
    failure = documents.error_document("x.mp4", MediaError("x.mp4 is empty", hint=None))
    plan = datasets.NarrationPlan(frames=4, draws=(10, 5, 3), model=make_answer().model)
    plan.add("a.mp4", Fraction(10), 1.0, [0, 2])
    made = datasets.InstructionCount(known=1, captioned=2, left_out=3, rows=4)
    made.kept["yes-no"] = made.dropped["inconsistent"] = made.sources["speech"] = 1
    known = {
        "path": "a.mp4",
        "sources": {"caption": 1, "speech": 0, "screen": 0},
        "clips_to_caption": 0,
        "questions": 19,
    }
    return {
        "instruct": datasets.instruct_document(
            made, total=2, out=None, model=None, failures=[failure]
        ),
        "instruct-plan": datasets.instruct_plan_document([known]),
        "narrate": datasets.narrate_document(
            told, total=2, out=Path("o"), model=make_answer().model, failures=[failure]
        ),
        "narrate-plan": datasets.narrate_plan_document(plan),
    }


def make_sighting_documents() -> dict[str, documents.Document]:
    box = Box(Timestamp(1, Fraction(1, 2)), 0.1, 0.2, 0.3, 0.4, 0.9)
    window = Window(Span(Fraction(0), Fraction(1)), (Guess("run", 0.75),))
    return {
        "detect": detections_document(
            make_info(),
            [(Fraction(1, 2), [Detection("dog", box)]), (Fraction(1), [])],
            tracks=[Track("dog", 0.9, (box,))],
            dropped=1,
            model="d.onnx",
            vocabulary=["dog"],
            score=0.5,
            coverage=COVERAGE,
            warnings=["x"],
        ),
        "actions": actions_document(
            make_info(),
            [window],
            [Action("run", window.span, 0.75, 1)],
            model="a.onnx",
            labels=400,
            score=0.3,
            warnings=[],
        ),
    }


def make_vcgbench_document() -> documents.Document:
    digests = {"weights": "a" * 64, "mmproj": "b" * 64}
    return vcgbench.vcgbench_document(
        [AspectScore(Aspect.DETAIL, (1, 4)), AspectScore(Aspect.CONTEXT, (3,))],
        files={"general": "general.json", "temporal": None, "consistency": None},
        shown="frames",
        model={"name": "m", "sha256": digests},
        judge={"name": "j", "sha256": "c" * 64},
        settings={"max_tokens": 256, "instruction": ""},
        failed=0,
        predictions="p.jsonl",
        warnings=["1 of 2 videos is among those the model learnt from"],
    )


def make_eval_document() -> documents.Document:
    question = EvalQuestion(
        "1", Path("v.mp4"), "order", "Which?", "the cat", ("the cat", "the dog"), "the dog", False
    )
    replied = Prediction("k", "1", "the dog", 0.5, 8, 72, "stop")
    runs = [
        evaluations.score_run("frames", [(question, replied)], failed=1),
        evaluations.score_run("no frames", [], failed=0),
    ]
    return evaluations.eval_document(
        "set",
        runs,
        model="m",
        digests={"weights": "a" * 64, "mmproj": "b" * 64},
        predictions="p.jsonl",
        settings={
            "frames": None,
            "select": None,
            "fps": None,
            "method": "auto",
            "prompt_style": "own",
            "detail": "normal",
            "n_ctx": 8192,
            "max_tokens": 64,
            "instruction": "",
        },
    )


def make_model_documents() -> dict[str, documents.Document]:
    file = StoredFile(FileRole.WEIGHTS, Path("/m.gguf"), 9, "a" * 64)
    installed = InstalledModel("m", Kind.VISION, "local", "", "Q8_0", "", (file,), "2026-01-01")
    spec = find_model("smolvlm2-500m")
    rows = [
        models.ModelRow("m", None, installed, MemoryBill(1, 2, 3, 4, 5), True),
        models.ModelRow("smolvlm2-500m", spec, None, None, None),
    ]
    return {
        "model": models.model_document(rows[0]),
        "models": models.models_document(rows),
        "model-check": models.model_check_document([("m", "/m.gguf", "is missing")]),
    }


def make_training_documents() -> dict[str, documents.Document]:
    here = Path(__file__)
    bundle = Bundle(
        folder=here.parent,
        name="b",
        weights=here,
        mmproj=here,
        adapter=None,
        sha256=dict.fromkeys(("weights", "mmproj"), "a" * 64),
        base={"source": "hf:x/y"},
        prompt="idefics3/1",
        frames=8,
        history=({"stage": "pretrain", "data": []},),
    )
    score = {"loss": 1.0, "accuracy": 0.5, "n": 2, "replies": 4}
    controls = {
        "scores": dict.fromkeys(("seen", "shuffled", "reversed", "blind"), score),
        "gaps": {
            name: {"mean": 0.1, "low": None, "high": 0.2}
            for name in ("shuffled", "reversed", "blind")
        },
    }
    found = {"recall_at_1": 0.5, "chance": 0.25, "videos": 2, "texts": 4}
    report = {
        "folder": "run",
        "stage": "tune",
        "learns": ["lora"],
        "trainable": 9,
        "samples": {"train": 2, "held_out": 2},
        "missing": 0,
        "steps": 3,
        "resumed_at": 0,
        "seconds": 1.5,
        "before": controls,
        "after": controls,
        "verdict": ["nothing was gained"],
        "files": {"weights": "a" * 64},
    }
    return {
        "bundle": training.bundle_document(bundle),
        "train": training.train_document(report),
        "contrast": training.contrast_document(
            {
                "folder": "run",
                "samples": {"train": 2, "held_out": 2},
                "steps": 3,
                "before": found,
                "after": found,
                "files": {"heads": "a" * 64},
            }
        ),
        "train-world": training.world_document(
            {
                "folder": "run",
                "stage": "tune",
                "objective": "answers",
                "trainable": 9,
                "steps": 3,
                "resumed_at": 0,
                "seconds": 1.5,
                "files": {"weights": "a" * 64},
                "held_out": {"seen": {"object": {"right": 1, "asked": 2, "share": 0.5}}},
            }
        ),
        "train-run": training.run_document(
            "nano",
            "out",
            bundle="out/nano",
            steps=("synth", "tune"),
            spent={"tune": 1.5},
            evaluations=["out/nano/evaluation-eval.json"],
        ),
    }


@pytest.mark.parametrize("name", list_schemas())
def test_a_document_is_what_its_schema_says(name: str):
    schema = load_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = make_documents()[name]
    jsonschema.validate(document, schema)
    assert document["schema"] == {"name": name, "version": 1}
    for field in document:
        lacking = {key: value for key, value in document.items() if key != field}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(lacking, schema)


def test_the_answer_document_has_exactly_the_promised_fields():
    document = documents.answer_document(make_answer())
    assert list(document) == [
        "schema", "video", "question", "answer", "finish", "evidence", "citations_dropped",
        "choices", "frames", "coverage", "model", "method", "approach", "usage", "timings_s",
            "warnings",
    ]  # fmt: skip
    assert document["video"] == {"path": "clip.mp4", "fingerprint": "f" * 32, "duration": 2.0}
    assert document["frames"][1] == {
        "id": 2,
        "time_s": 1.5,
        "reason": "fps",
        "visual_tokens": 65,
    }
    assert document["usage"]["cache"] == {"visual_tokens": "hit", "prefix": "miss"}
    assert document["coverage"]["largest_gap"] == {"start_s": 0.5, "end_s": 1.5, "length_s": 1.0}
    assert document["model"]["sha256"] == {"weights": "a" * 64, "mmproj": "b" * 64}
    assert set(document["timings_s"]) == {
        "load", "decode", "encode", "prefill", "generate", "native", "total",
    }  # fmt: skip


def test_an_answer_through_text_says_which_way_it_came():
    made = replace(make_answer(), route=make_route())
    document = documents.answer_document(made)
    jsonschema.validate(document, load_schema("answer"))
    jsonschema.validate(documents.caption_document(made), load_schema("caption"))
    assert document["route"]["captions"] == [{"start_s": 0.0, "end_s": 2.0, "text": "A cat sits."}]
    assert [call["name"] for call in document["route"]["calls"]] == ["relevance 2", "answer"]
    assert document["route"]["rounds"] == [{"clusters": 2, "relevance": [1, 3]}]
    for field in document["route"]:
        lacking = {key: value for key, value in document["route"].items() if key != field}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, "route": lacking}, load_schema("answer"))
    assert say_evidence(made).endswith(
        "2 captions (1 of an earlier run) of 9 frames, clusters 2, 2 text calls"
    )


def test_a_statement_holds_from_the_threshold_on():
    assert documents.check_document(make_answer(), probability=0.5, threshold=0.5)["holds"]
    assert not documents.check_document(make_answer(), probability=0.49, threshold=0.5)["holds"]


def test_what_a_file_does_not_say_is_null():
    info = make_info(duration=None, title=None, picture=replace(STREAM, **UNKNOWN_STREAM))
    document = documents.info_document(info)
    jsonschema.validate(document, load_schema("info"))
    assert document["duration"] is None
    assert {document["video"][name] for name in UNKNOWN_STREAM} == {None}


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_file_name_of_any_bytes_survives_json(ascii_only: bool):
    name = os.fsdecode(b'caf\xc3\xa9\xff\n"\xf0\x9f\x93\xb9.mp4')
    text = documents.write_json({"path": name}, ascii_only=ascii_only)
    text.encode("ascii" if ascii_only else "utf-8")
    assert text.count("\n") == 1
    assert os.fsencode(json.loads(text)["path"]) == os.fsencode(name)


def test_a_trace_keeps_order_ids_and_places():
    document = accounts.trace_document(make_answer().video, "?", make_answer().model, TRACED)
    text, frames = document["parts"]
    assert (text["text"], text["token_ids"]) == ("Watch: ", [5, 6])
    assert [frame["id"] for frame in frames["frames"]] == [1, 2]
    assert (frames["visual_tokens"], frames["cell"], frames["token_ids"]) == (64, 2, [7, 8])


def test_a_talk_reads_as_markdown():
    text = accounts.chat_markdown([make_answer(), make_answer(question="And then?", text="Rain.")])
    assert text == ("# clip.mp4\n\n**What happens?**\n\nA dog leaves.\n\n**And then?**\n\nRain.\n")
    assert accounts.chat_markdown([]) == ""
