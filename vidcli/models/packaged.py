"""The small model that comes with vidcli: a bundle among the package's own files.

It lies in `vidcli/nano/`: weights, projector and `vidcli.json`, as `vidcli train run nano` makes
them. A package may be built without it.
"""

from pathlib import Path

from vidcli.core.catalog import FileRole, InstalledModel, Kind, StoredFile
from vidcli.models.bundle import is_bundle, read_bundle
from vidcli.models.gguf import read_facts
from vidcli.models.registry import HUB, find_installed, find_source

NAME = "nano"
SOURCE = "packaged"
LICENCE = "Apache-2.0"
FOLDER = Path(__file__).parents[1] / NAME


def find_packaged(name: str = NAME) -> InstalledModel | None:
    """The packaged model, by its name in any case; None where the package has none.

    Raises:
        ModelError: It is damaged.
    """
    if name.casefold() != NAME or not is_bundle(FOLDER):
        return None
    bundle = read_bundle(FOLDER)
    files = (
        StoredFile(role, path, path.stat().st_size, bundle.sha256[role.value])
        for role, path in ((FileRole.WEIGHTS, bundle.weights), (FileRole.MMPROJ, bundle.mmproj))
    )
    return InstalledModel(
        name=NAME,
        kind=Kind.VISION,
        source=SOURCE,
        revision="",
        quant=read_facts(bundle.weights).quant,
        licence=LICENCE,
        files=tuple(files),
        added="",
    )


def find_here(name: str) -> InstalledModel | None:
    """The model on this machine that a name means, or `hf:OWNER/REPO[:QUANT]`.

    An installed one goes before the packaged one.
    """
    if name.startswith(HUB):
        repo, _, quant = name.removeprefix(HUB).partition(":")
        return find_source(f"{HUB}{repo}", quant)
    return find_installed(name) or find_packaged(name)


def is_packaged(model: InstalledModel) -> bool:
    """Whether a model came with vidcli."""
    return model.source == SOURCE
