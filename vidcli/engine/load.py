"""Load a model for answering; on its first use only after another process survived it."""

from pathlib import Path

from vidcli.core.model import GgufFacts, LanguageFiles, LoadOptions, ModelFiles
from vidcli.engine.hearing import HearingSession
from vidcli.engine.language import LanguageSession
from vidcli.engine.prefix_cache import PrefixCache
from vidcli.engine.session import LlamaSession
from vidcli.engine.trial import Trial, try_model


def load_session(
    files: ModelFiles,
    *,
    weights_facts: GgufFacts,
    mmproj_facts: GgufFacts,
    options: LoadOptions,
    prefixes: PrefixCache | None = None,
    tried: Path | None = None,
) -> LlamaSession:
    """Load a model for answering, after a trial in another process where it was never used before.

    Args:
        files: Weights and projector.
        weights_facts: Header of the weights.
        mmproj_facts: Header of the projector as given.
        options: How to load.
        prefixes: Where snapshots are kept; None for nowhere.
        tried: Directory of marks of models used before; None makes no trial.

    Raises:
        ModelError: The files are broken, do not belong together, or make llama.cpp abort.
        ResourceError: No memory.
    """
    if tried is not None:
        try_model(Trial(files, weights_facts, mmproj_facts, options), tried)
    return LlamaSession(
        files,
        weights_facts=weights_facts,
        mmproj_facts=mmproj_facts,
        options=options,
        prefixes=prefixes,
    )


def load_hearing(
    files: ModelFiles,
    *,
    weights_facts: GgufFacts,
    mmproj_facts: GgufFacts,
    options: LoadOptions,
    tried: Path | None = None,
) -> HearingSession:
    """Load a model that hears; see `load_session`.

    Raises:
        ModelError: The files are broken, do not belong together, do not hear, or make llama.cpp
            abort.
        ResourceError: No memory.
    """
    if tried is not None:
        try_model(Trial(files, weights_facts, mmproj_facts, options, hears=True), tried)
    return HearingSession(
        files, weights_facts=weights_facts, mmproj_facts=mmproj_facts, options=options
    )


def load_language(
    files: LanguageFiles,
    *,
    facts: GgufFacts,
    options: LoadOptions,
    tried: Path | None = None,
) -> LanguageSession:
    """Load a language model by itself, for work that needs no pictures; see `load_session`.

    Raises:
        ModelError: The file is broken, or makes llama.cpp abort.
        ResourceError: No memory.
    """
    if tried is not None:
        try_model(Trial(files, facts, None, options), tried)
    return LanguageSession(files, facts=facts, options=options)
