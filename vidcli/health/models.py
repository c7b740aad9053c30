"""The models on this machine: whole, fitting each other and the memory; which one would run."""

from collections.abc import Iterator
from pathlib import Path

from vidcli import settings
from vidcli.core.catalog import InstalledModel, Kind
from vidcli.core.findings import Finding, Level
from vidcli.core.onnx_header import OnnxRole
from vidcli.core.protocols import Progress
from vidcli.core.units import format_size
from vidcli.errors import ModelError


def check_models(*, whole: bool, progress: Progress | None = None) -> Iterator[Finding]:
    """Every installed model.

    Args:
        whole: Read all files through and compare their digests; else sizes and headers only.
        progress: Of reading.

    Raises:
        ModelError: The list of models is damaged.
    """
    from vidcli.models.registry import list_installed

    installed = list_installed()
    for model in installed:
        yield _check_model(model, whole=whole, progress=progress)
    if not any(model.kind is Kind.VISION for model in installed):
        text = "no model that can see is installed; only files named by --model can answer"
        yield Finding(
            "models", Level.NOTE, text, f"vidcli models pull {settings.RECOMMENDED_MODEL}"
        )


def _check_model(model: InstalledModel, *, whole: bool, progress: Progress | None) -> Finding:
    from vidcli.models.catalog import find_model
    from vidcli.models.fit import bill_of, fits_memory
    from vidcli.models.hardware import read_memory
    from vidcli.models.verify import check_files, check_headers

    checked = check_files(model, whole=whole, progress=progress)
    wrong = [f"{path.name} {problem}" for path, problem in checked if problem]
    if not wrong and (cause := check_headers(model)):
        wrong.append(cause)
    facts = {"name": model.name, "bytes": model.size_bytes, "wrong": wrong, "hashed": whole}
    said = f"{model.name}: {model.quant or model.kind.value}, {format_size(model.size_bytes)}"
    if wrong:
        text = f"{said}: {'; '.join(wrong)}"
        return Finding("model", Level.PROBLEM, text, _remedy(model), facts)
    seen = "every byte checked" if whole else "sizes and headers fit"
    bill = bill_of(find_model(model.name), model.size_bytes, 0, n_ctx=settings.N_CTX)
    if model.kind is Kind.VISION and not fits_memory(bill, read_memory()):
        text = f"{said}, {seen}; it needs {format_size(bill.total)} of memory, which is not free"
        remedy = "use a smaller one, or vidcli config set n_ctx 4096"
        return Finding("model", Level.NOTE, text, remedy, facts)
    return Finding("model", Level.OK, f"{said}, {seen}", facts=facts)


def _remedy(model: InstalledModel) -> str:
    if model.source == "local":
        return f"put the files back, or vidcli models rm {model.name}"
    return f"vidcli models pull {model.name}"


def check_tool_files() -> Iterator[Finding]:
    """Which tools have the network they run on."""
    from vidcli.models.tool_files import find_tool_file

    commands = {
        OnnxRole.DETECTOR: "vidcli detect",
        OnnxRole.FACES: "faces in vidcli shots --details",
        OnnxRole.ACTIONS: "vidcli actions",
    }
    for role, command in commands.items():
        try:
            found = find_tool_file(role)
        except ModelError:  # the list is damaged: its own check has said so
            return
        if found.path is not None:
            yield Finding("tool-file", Level.OK, f"{command}: runs on {found.name}")
        else:
            text = f"{command}: {found.reason}"
            yield Finding("tool-file", Level.NOTE, text, found.remedy)


def check_choice() -> Iterator[Finding]:
    """Which model runs where no flag names one."""
    from vidcli.models.catalog import find_model
    from vidcli.models.packaged import find_here

    kept = settings.find("model")
    if kept.problem or kept.written is None:  # the settings' own check has said so
        return
    name = str(kept.written)
    if find_here(name) or Path(name).expanduser().exists():
        yield Finding("model-choice", Level.OK, f"{name} runs, as {kept.where} says")
        return
    is_known = name.startswith("hf:") or find_model(name) is not None
    remedy = f"vidcli models pull {name}" if is_known else "vidcli models list"
    text = f"{kept.where} names the model {name}, which is not on this machine"
    yield Finding("model-choice", Level.PROBLEM, text, remedy)
