"""Loads what a command answers with: a model, and the caches that go with it.

Every native thing that is opened here is closed when its `with` block ends. Not here: the videos
(`vidcli.cli.footage`).
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli import settings
from vidcli.cli.caches import TRIED, open_prefix_cache, open_token_cache
from vidcli.cli.groups import Device, Loading, Planning
from vidcli.cli.terminal import Notes
from vidcli.core.model import (
    Familiar,
    GgufFacts,
    LanguageFiles,
    LoadOptions,
    ModelFiles,
    ModelReport,
)
from vidcli.core.protocols import TokenStore
from vidcli.core.results import VideoReport
from vidcli.errors import ModelError
from vidcli.methods.wording import OWN, PLAIN

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from vidcli.engine.hearing import HearingSession
    from vidcli.engine.language import LanguageSession
    from vidcli.engine.prefix_cache import PrefixCache
    from vidcli.engine.session import LlamaSession
    from vidcli.engine.token_cache import TokenCache
    from vidcli.methods.arrange import Arranger
    from vidcli.methods.ask import Question


def import_engine() -> None:
    """Import what answering needs: worth doing while a video is being opened elsewhere."""
    import vidcli.engine.session
    import vidcli.methods.ask
    import vidcli.models.derive  # noqa: F401


@dataclass(slots=True)
class Bench:
    """A loaded model, and what is kept for it.

    Attributes:
        session: The model, until the block that opened the bench ends.
        tokens: Cache of visual tokens; None where none is used.
        prefixes: Cache of prefix snapshots; None where none is used.
        memory_bytes: What the model and this process take, from the headers of its files.
        load_s: Seconds that loading took, until the first result has accounted for them.
        warnings: What every result of this model should mention.
        arranger: What the model was taught to make of a video's frames; None shows them one by one.
        familiar: How the footage that the model knows looks to it; None where nothing is said.
        follows_instructions: Whether the model does; see `core.model.ModelFiles`.
        planner: Another model for calls of text alone; None where there is none.
        doubts: What every result that is written from words should mention.
    """

    session: "LlamaSession"
    tokens: "TokenCache | None"
    prefixes: "PrefixCache | None"
    memory_bytes: int
    load_s: float = 0.0
    warnings: tuple[str, ...] = ()
    arranger: "Arranger | None" = None
    familiar: Familiar | None = None
    follows_instructions: bool = True
    planner: "LanguageSession | None" = None
    doubts: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Names the model and all that its replies depend on besides the prompt."""
        return f"{identify(self.session.report)} {self.session.token_settings}"

    def take_load_seconds(self) -> float:
        """Seconds spent loading, the first time; loading is nobody else's cost."""
        spent, self.load_s = self.load_s, 0.0
        return spent

    def open_store(
        self, video: VideoReport, size: tuple[int, int], name: str = ""
    ) -> "AbstractContextManager[TokenStore | None]":
        """Visual tokens of a video at one frame size; None where no cache is used.

        `name` tells apart pictures that are not frames.
        """
        if self.tokens is None:
            return nullcontext()
        settings_digest = f"{self.session.token_settings} {size[0]}x{size[1]}" + (
            f" {name}" if name else ""
        )
        return self.tokens.open(video.fingerprint, settings_digest, Path(video.path).name)

    def word(self, question: "Question") -> "Question":
        """A question in words that the model knows: a list of options is an instruction.

        Yes and no are the options that every model is taught.
        """
        is_known = set(question.choices) <= {"yes", "no"}
        if self.follows_instructions or is_known or question.style != OWN:
            return question
        return replace(question, style=PLAIN)

    def all_warnings(self) -> tuple[str, ...]:
        """What loading found, and what went wrong with the caches' disk so far."""
        caches = (self.tokens, self.prefixes)
        disk = (text for cache in caches if cache is not None for text in cache.warnings)
        return (*self.warnings, *self.session.notes, *disk)


@contextmanager
def open_bench(
    loading: Loading, *, notes: Notes, files: ModelFiles | None = None
) -> Iterator[Bench]:
    """Load a model for the block.

    Args:
        loading: Which model, and how.
        notes: Where to say which model was taken.
        files: From `find_files`, where they were found before.

    Raises:
        ModelError: There is none, or its files are missing, broken, or do not belong together.
        ResourceError: No memory for it.
    """
    from vidcli.engine.load import load_session
    from vidcli.engine.native import supports_gpu
    from vidcli.models.derive import derive_mmproj
    from vidcli.models.gguf import read_facts
    from vidcli.models.hardware import count_free_cores, read_cpu
    from vidcli.models.memory import memory_needed

    started = time.perf_counter()
    files = files or find_files(loading, notes=notes)
    options = loading.load_options()
    options = replace(options, threads=options.threads or count_free_cores())
    weights, mmproj = read_facts(files.weights), read_facts(files.mmproj)
    options = fit_layers(options, weights, mmproj)
    cpu = None if options.mmproj_gpu and supports_gpu() else read_cpu()
    files, warnings = derive_mmproj(files, mmproj, detail=options.detail, cpu=cpu)
    with ExitStack() as stack:
        prefixes = None if loading.no_cache else open_prefix_cache()
        session = load_session(
            files,
            weights_facts=weights,
            mmproj_facts=mmproj,
            options=options,
            prefixes=prefixes,
            tried=settings.cache_dir() / TRIED,
        )
        stack.callback(session.close)
        planner, planner_bytes, reader = None, 0, files.language
        if (beside := planning(loading)) is not None:
            reader = find_language(beside, notes=notes)
            planner = stack.enter_context(open_language(beside, notes=notes, files=reader))
            facts = read_facts(reader.weights)
            planner_bytes = memory_needed(facts, None, n_ctx=planner.n_ctx).total
        needed = memory_needed(weights, mmproj, n_ctx=session.n_ctx).total
        yield Bench(
            session=session,
            tokens=None if loading.no_cache else open_token_cache(),
            prefixes=prefixes,
            memory_bytes=needed + planner_bytes,
            planner=planner,
            doubts=reader.doubts,
            load_s=time.perf_counter() - started,
            warnings=(*warnings, *warn_of_gpu(loading), *warn_of_pooling(files, mmproj)),
            arranger=make_arranger(files),
            familiar=files.familiar,
            follows_instructions=files.follows_instructions,
        )


def planning(loading: Loading) -> Loading | None:
    """How a model beside the one that sees is loaded; None where none is asked for."""
    return loading.of_planner if isinstance(loading, Planning) else None


def identify(report: ModelReport) -> str:
    """Names a model's weights, and the adapter on them as far as it counts."""
    adapter = f" {report.adapter_sha256}@{report.lora_scale}" if report.adapter_sha256 else ""
    return f"{report.weights_sha256}{adapter}"


@contextmanager
def open_hearing(loading: Loading, files: ModelFiles) -> Iterator["HearingSession"]:
    """Load a model that hears for the block.

    Args:
        loading: How.
        files: From `find_hearing`.

    Raises:
        ModelError: The files are broken, do not belong together, or do not hear.
        ResourceError: No memory for it.
    """
    from vidcli.engine.load import load_hearing
    from vidcli.models.gguf import read_facts
    from vidcli.models.hardware import count_free_cores

    weights, mmproj = read_facts(files.weights), read_facts(files.mmproj)
    options = loading.load_options()
    options = replace(options, threads=options.threads or count_free_cores())
    with load_hearing(
        files,
        weights_facts=weights,
        mmproj_facts=mmproj,
        options=fit_layers(options, weights, mmproj),
        tried=settings.cache_dir() / TRIED,
    ) as session:
        yield session


def find_hearing(loading: Loading, *, notes: Notes) -> ModelFiles:
    """The pair of files to hear with, checked and hashed.

    Raises:
        ModelError: There is none, or none that hears.
    """
    from vidcli.cli.choosing import choose_model
    from vidcli.models.pair import resolve_hearing
    from vidcli.output.progress import open_progress

    model, mmproj, name = choose_model(
        loading.model, loading.mmproj, offline=loading.offline, notes=notes
    )
    with open_progress(quiet=notes.quiet) as progress:
        files = resolve_hearing(model, mmproj, progress=progress)
    return replace(files, name=name) if name else files


@contextmanager
def open_language(
    loading: Loading, *, notes: Notes, files: LanguageFiles | None = None
) -> Iterator["LanguageSession"]:
    """Load a language model for the block, for work that needs no pictures.

    Args:
        loading: Which model, and how; of a pair the weights alone are loaded.
        notes: Where to say which model was taken.
        files: From `find_language`, where they were found before.

    Raises:
        ModelError: There is none, or its file is missing or broken.
        ResourceError: No memory for it.
    """
    from vidcli.engine.load import load_language
    from vidcli.models.gguf import read_facts
    from vidcli.models.hardware import count_free_cores

    files = files or find_language(loading, notes=notes)
    facts = read_facts(files.weights)
    options = loading.load_options()
    options = replace(options, threads=options.threads or count_free_cores())
    options = fit_layers(options, facts, None)
    with load_language(
        files, facts=facts, options=options, tried=settings.cache_dir() / TRIED
    ) as session:
        yield session


def make_arranger(files: ModelFiles) -> "Arranger | None":
    """What a bundle makes of a video's frames; None for frames one by one.

    Raises:
        ModelError: Its Q-Former is damaged, or of another projector.
    """
    from vidcli.methods.arrange import FRAMES, POOL, Arranger, pool_tokens
    from vidcli.methods.qformer import load_sidecar, run_qformer

    if files.arrangement == FRAMES:
        return None
    if files.arrangement == POOL:
        return Arranger(POOL, pool_tokens)
    if files.sidecar is None:
        raise ModelError(f"the bundle {files.name} has no Q-Former", hint="export it again")
    weights, meta = load_sidecar(files.sidecar)
    if meta["mmproj_sha256"] != files.mmproj_sha256:
        raise ModelError(
            f"{files.sidecar.name} was trained for another projector than {files.mmproj.name}",
            hint="leave out --mmproj",
        )
    return Arranger(
        files.arrangement, lambda tokens: run_qformer(weights, tokens, heads=int(meta["heads"]))
    )


def fit_layers(options: LoadOptions, weights: GgufFacts, mmproj: GgufFacts | None) -> LoadOptions:
    """Turn `--gpu-layers auto` into as many layers as the graphics cards hold."""
    from vidcli.engine.devices import list_gpus
    from vidcli.models.gguf import integer_of
    from vidcli.models.memory import layers_that_fit, memory_needed

    if options.gpu_layers >= 0:
        return options
    n_layers = integer_of(weights, f"{weights.architecture}.block_count")
    layers = layers_that_fit(
        memory_needed(weights, mmproj, n_ctx=options.n_ctx),
        n_layers=n_layers,
        free_bytes=sum(gpu.free_bytes for gpu in list_gpus()),
        with_vision=mmproj is not None and options.mmproj_gpu,
    )
    return replace(options, gpu_layers=layers)


def warn_of_gpu(loading: Loading) -> tuple[str, ...]:
    """A warning where the vision encoder was asked onto a GPU that is not there."""
    from vidcli.engine.native import supports_gpu

    if loading.mmproj_device is not Device.GPU or supports_gpu():
        return ()
    return ("--mmproj-device gpu: this build of llama.cpp has no GPU backend, running on CPU",)


def warn_of_pooling(files: ModelFiles, mmproj: GgufFacts) -> tuple[str, ...]:
    """A warning where a bundle pools the output of a projector that is not linear."""
    from vidcli.methods.arrange import POOL, note_pooling

    return note_pooling(mmproj.projector) if files.arrangement == POOL else ()


def find_files(loading: Loading, *, notes: Notes) -> ModelFiles:
    """The pair of files to run, checked and hashed; see `vidcli.cli.choosing`.

    Raises:
        ModelError: There is none, or its files are missing, broken, or do not belong together.
    """
    from vidcli.cli.choosing import choose_model
    from vidcli.models.pair import resolve_files
    from vidcli.output.progress import open_progress

    model, mmproj, name = choose_model(
        loading.model, loading.mmproj, offline=loading.offline, notes=notes
    )
    with open_progress(quiet=notes.quiet) as progress:
        files = resolve_files(
            model,
            mmproj,
            adapter=loading.lora,
            lora_scale=loading.lora_scale,
            progress=progress,
        )
    if loading.lora_scale != 1.0 and files.adapter is None:
        notes.warn("--lora-scale does nothing: the model has no adapter, and --lora names none")
    return replace(files, name=name) if name else files


def find_language(loading: Loading, *, notes: Notes) -> LanguageFiles:
    """The language model to run, of a pair or by itself, checked and hashed.

    Raises:
        ModelError: There is none, or its file is missing or broken.
    """
    from vidcli.cli.choosing import choose_model
    from vidcli.models.pair import resolve_language
    from vidcli.output.progress import open_progress

    model, _, name = choose_model(loading.model, None, offline=loading.offline, notes=notes)
    with open_progress(quiet=notes.quiet) as progress:
        files = resolve_language(
            model, adapter=loading.lora, lora_scale=loading.lora_scale, progress=progress
        )
    return replace(files, name=name) if name else files


def name_files(loading: Loading) -> tuple[Path, Path]:
    """Weights and projector of that pair; see `find_files`."""
    files = find_files(loading, notes=Notes(quiet=True))
    return files.weights, files.mmproj
