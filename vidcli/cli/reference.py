"""Write the reference pages from the app itself: its commands, exit codes and models.

`python -m vidcli.cli.reference docs` writes the files; a test compares them with the app.
"""

import os
import subprocess
import sys
from pathlib import Path

from vidcli import settings
from vidcli.cli import config, models, train
from vidcli.cli.app import DATA, PANELS, TRAINING, UPKEEP, caches
from vidcli.core.catalog import Kind, ModelSpec
from vidcli.core.files import atomic_write
from vidcli.core.units import format_size
from vidcli.errors import ExitCode

WIDTH = "100"
MEANINGS = {
    ExitCode.OK: "done; `check`: yes",
    ExitCode.NEGATIVE: "no (`check`), or nothing found (`find`, `highlights`, `detect`, `actions`,"
    " `read --grep`), as of grep",
    ExitCode.USAGE: "the command line makes no sense",
    ExitCode.MEDIA: "the video cannot be used",
    ExitCode.MODEL: "the model cannot be used",
    ExitCode.RESOURCE: "it does not fit: context, memory, disk",
    ExitCode.ENGINE: "llama.cpp failed on input it should have taken",
    ExitCode.SETUP: "ffmpeg or an optional extra is missing",
    ExitCode.PARTIAL: "some inputs failed, the rest is done",
    ExitCode.BUG: "a bug of ours; the traceback is kept in a file that the message names",
    ExitCode.INTERRUPTED: "interrupted; what was finished is kept",
}


WRITTEN = "Written by `python -m vidcli.cli.reference docs`."
MODEL_KINDS = {
    Kind.VISION: "Answer about videos",
    Kind.EMBEDDING: "Turn texts into vectors, for search",
    Kind.SPEECH: "Write down what is said (`vidcli transcribe`)",
    Kind.ONNX: "Used by tools",
}


def render_models() -> str:
    """The page of models as Markdown."""
    from vidcli.models.catalog import list_models

    parts = [
        f"# Models\n\n{WRITTEN}\n\n`vidcli models pull NAME` gets one. Sizes are of the download"
        " with the first quant; memory is weights,\nprojector, a context of"
        f" {settings.N_CTX} cells and a margin: `vidcli models show` is exact once the files are"
        " here.\n`vidcli bench --model NAME` measures one on your machine.\n"
    ]
    for kind, title in MODEL_KINDS.items():
        parts.append(
            f"\n## {title}\n\n| name | repository | download | quant | memory | tokens a frame |"
            " hears | licence | good at |\n|---|---|---|---|---|---|---|---|---|\n"
        )
        parts += [_model_row(spec) for spec in list_models() if spec.kind is kind]
    return "".join(parts)


def _model_row(spec: ModelSpec) -> str:
    from vidcli.models.fit import bill_of

    sees = str(spec.frame_tokens or "any size") if spec.mmproj else ""
    bill = bill_of(spec, spec.bytes, 0, n_ctx=settings.N_CTX)
    memory = format_size(bill.total) if spec.kind.is_gguf else ""
    hears = "yes" if spec.audio else ""
    quant = spec.quants[0] if spec.quants else ""
    cells = (
        f"`{spec.name}`", f"hf:{spec.repo}", format_size(spec.bytes), quant, memory, sees, hears,
        spec.licence, spec.strengths,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def render() -> str:
    """The page of commands as Markdown."""
    parts = [f"# Commands\n\n{WRITTEN}\n"]
    for panel, functions in PANELS.items():
        parts.append(f"\n## {panel}\n")
        parts += [_section([function.__name__]) for function in functions]
        if panel == TRAINING:
            parts += [_section(["data", function.__name__]) for function in DATA]
            parts += [_section(["train", name]) for name in train.COMMANDS]
        if panel == UPKEEP:
            parts += [_section(["models", name]) for name in models.COMMANDS]
            parts += [_section(["config", name]) for name in config.COMMANDS]
            parts += [_section(["cache", name]) for name in _cache_commands()]
    parts.append("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
    parts += [f"| {code.value} | {MEANINGS[code]} |\n" for code in ExitCode]
    return "".join(parts)


def _cache_commands() -> list[str]:
    functions = [command.callback for command in caches.registered_commands]
    return [function.__name__ for function in functions if function is not None]


def _section(words: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "vidcli", *words, "--help"],
        env=os.environ | {"COLUMNS": WIDTH, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return f"\n### vidcli {' '.join(words)}\n\n```\n{done.stdout.strip()}\n```\n"


PAGES = {"commands.md": render, "models.md": render_models}


def write(folder: Path) -> None:
    """Write the pages into a folder."""
    for name, render_page in PAGES.items():
        with atomic_write(folder / name) as file:
            file.write(render_page().encode())


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
