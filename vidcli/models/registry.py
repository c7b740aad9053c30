"""Which models are on this machine, under which names: one JSON file in the data directory.

It maps names to files, revisions and digests; the files themselves lie in the hub's cache or where
the user keeps them. A change is made under a lock and written whole, so that two pulls at once lose
nothing.
"""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidcli import settings
from vidcli.core.catalog import FileRole, InstalledModel, Kind, StoredFile
from vidcli.core.files import atomic_write
from vidcli.errors import ModelError, ResourceError, UsageError

VERSION = 1
HUB = "hf:"  # before what is named by where it comes from
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def registry_path() -> Path:
    """The file."""
    return settings.data_dir() / "models.json"


def list_installed() -> tuple[InstalledModel, ...]:
    """Every registered model, by name.

    Raises:
        ModelError: The file is damaged, or of a newer vidcli.
    """
    return tuple(model for _, model in sorted(_read().items()))


def find_installed(name: str) -> InstalledModel | None:
    """The model registered under a name, whatever the case; None where there is none."""
    wanted = name.casefold()
    return next((model for model in list_installed() if model.name.casefold() == wanted), None)


def find_source(source: str, quant: str = "") -> InstalledModel | None:
    """The model that came from `hf:owner/repo`, of a quant where one is given; None without."""
    for model in list_installed():
        same_quant = not quant or model.quant.casefold() == quant.casefold()
        if model.source.casefold() == source.casefold() and same_quant:
            return model
    return None


def check_name(name: str) -> str:
    """A name that can be registered.

    Raises:
        UsageError: It has characters that names do not have.
    """
    if not _NAME.fullmatch(name) or name.casefold().endswith(".gguf"):
        raise UsageError(
            f"{name!r} is no name for a model",
            hint="letters, digits, '.', '-' and '_', beginning with a letter or digit",
        )
    return name


def register(model: InstalledModel) -> None:
    """Enter a model; one of the same name is replaced.

    Raises:
        ModelError: The file is damaged.
        ResourceError: It cannot be written.
    """
    with _change() as models:
        models.pop(_key_of(models, model.name), None)
        models[model.name] = model


def unregister(name: str) -> None:
    """Take a model out; its files stay.

    Raises:
        ModelError: The file is damaged.
        ResourceError: It cannot be written.
    """
    with _change() as models:
        models.pop(_key_of(models, name), None)


def _key_of(models: Mapping[str, InstalledModel], name: str) -> str:
    """The name as it is registered, whatever the case."""
    return next((key for key in models if key.casefold() == name.casefold()), name)


@contextmanager
def _change() -> Iterator[dict[str, InstalledModel]]:
    """The models, to be changed in the block; written back when it ends well."""
    path = registry_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            models = _read()
            yield models
            entries = {name: _entry(model) for name, model in sorted(models.items())}
            with atomic_write(path) as file:
                document = {"version": VERSION, "models": entries}
                file.write(json.dumps(document, indent=2).encode())
    except OSError as error:
        raise ResourceError(
            f"cannot write {path}: {error.strerror or error}",
            hint="set VIDCLI_DATA_DIR to a folder that can be written",
        ) from error


def _read() -> dict[str, InstalledModel]:
    path = registry_path()
    try:
        document = json.loads(path.read_bytes())
        if document["version"] > VERSION:
            raise ModelError(f"{path} was written by a newer vidcli", hint="upgrade vidcli")
        return {name: _model(name, entry) for name, entry in document["models"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is damaged: {error}",
            hint=f"move it away; 'vidcli models pull NAME' finds what is downloaded again: {path}",
        ) from error


def _entry(model: InstalledModel) -> dict[str, Any]:
    return {
        "kind": model.kind.value,
        "source": model.source,
        "revision": model.revision,
        "quant": model.quant,
        "licence": model.licence,
        "added": model.added,
        "files": [
            {
                "role": file.role.value,
                "path": str(file.path),
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
            }
            for file in model.files
        ],
    }


def _model(name: str, entry: Mapping[str, Any]) -> InstalledModel:
    return InstalledModel(
        name=name,
        kind=Kind(entry["kind"]),
        source=str(entry["source"]),
        revision=str(entry["revision"]),
        quant=str(entry["quant"]),
        licence=str(entry["licence"]),
        added=str(entry["added"]),
        files=tuple(
            StoredFile(
                FileRole(file["role"]), Path(file["path"]), int(file["size_bytes"]), file["sha256"]
            )
            for file in entry["files"]
        ),
    )
