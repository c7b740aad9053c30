"""The Hugging Face hub: what a repository holds, its files, and where they are kept.

The only importer of `huggingface_hub`. Its client lists, authenticates, goes through proxies and
says where the cache is. The bytes are transferred by `models.transfer`, since the client of 2.x
begins every interrupted file anew. The cache has the client's own layout and locks, so that other
programs find the files.
"""

import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from vidcli import settings
from vidcli.core.protocols import Progress
from vidcli.errors import ModelError
from vidcli.models.hub_cache import (
    check_room,
    folder_of,
    has_content,
    link_blob,
    remember_revision,
)
from vidcli.models.hub_errors import Request, explained
from vidcli.models.transfer import (
    OpenStream,
    Stream,
    StreamLostError,
    Wanted,
    disk_failure,
    fetch,
)

MAIN = "main"
ANSWER_TIMEOUT_S = 20.0
LOCK_POLL_S = 1.0
_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WAITS_S = (1.0, 3.0, None)  # after an answer that says to try again; then give up


@dataclass(frozen=True, slots=True)
class Listing:
    """What a repository holds at one commit.

    Attributes:
        repo: `owner/name`.
        revision: Branch, tag or commit that was asked for.
        commit: The commit it stands for.
        licence: As its model card says; empty where it does not.
        files: All of them, with length and digest.
    """

    repo: str
    revision: str
    commit: str
    licence: str
    files: tuple[Wanted, ...]


def list_repo(repo: str, revision: str = MAIN) -> Listing:
    """Ask the hub what a repository holds.

    Raises:
        UsageError: `repo` is no name of a repository.
        ModelError: Offline, not reachable, not there, not allowed, or not the hub that answers.
    """
    client = _client()
    for wait in _WAITS_S:
        try:
            with _explained(repo, revision):
                info = client.HfApi(library_name="vidcli").model_info(
                    repo,
                    revision=None if revision == MAIN else revision,
                    files_metadata=True,
                    timeout=ANSWER_TIMEOUT_S,
                )
                return _read_listing(repo, revision, info)
        except StreamLostError as lost:
            if wait is None:
                raise lost.failure from lost
            time.sleep(wait)
    raise AssertionError("the last round returns or raises")


def _read_listing(repo: str, revision: str, info: Any) -> Listing:
    """The client's answer as ours; names and digests become paths, so they are looked at.

    Raises:
        ValueError: It names a file outside the repository, or digests that are none.
    """
    files = tuple(
        Wanted(
            name=sibling.rfilename,
            size_bytes=int(sibling.lfs.size if sibling.lfs else sibling.size),
            sha256=sibling.lfs.sha256 if sibling.lfs else "",
            git_sha1=sibling.blob_id or "",
        )
        for sibling in info.siblings or ()
        if sibling.size is not None or sibling.lfs
    )
    for file in files:
        path = PurePosixPath(file.name)
        if path.is_absolute() or ".." in path.parts or not _HEX.fullmatch(file.digest):
            raise ValueError(f"it lists {file.name!r} with the digest {file.digest!r}")
    if not _HEX.fullmatch(str(info.sha)):
        raise ValueError(f"{info.sha!r} is no commit")
    return Listing(repo, revision, str(info.sha), _read_licence(info.card_data), files)


def _read_licence(card: Any) -> str:
    """What a model card names as licence; empty where it names none."""
    licence = getattr(card, "license", None)
    if licence == "other":  # one of the maker's own
        licence = getattr(card, "license_name", None) or licence
    return licence if isinstance(licence, str) else ""


def download(
    listing: Listing, files: Sequence[Wanted], *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Bring files of a repository into the hub's cache, whole and with the right digests.

    What is there already is checked and not fetched again. Two processes may do this at once.

    Args:
        listing: Of the repository.
        files: Some of its files.
        progress: Called with the file's name, bytes done and bytes in all.

    Returns:
        Where each file is, in order: links in the snapshot of the listing's commit.

    Raises:
        ModelError: The hub refuses or fails, or a file arrives damaged.
        ResourceError: The disk is too small, full, or cannot be written.
    """
    folder = folder_of(cache_folder(), listing.repo)
    check_room(folder, files)
    paths = []
    try:
        for file in files:
            blob = folder / "blobs" / file.digest
            link = folder / "snapshots" / listing.commit / file.name
            for directory in (blob.parent, link.parent):
                directory.mkdir(parents=True, exist_ok=True)
            with _lock(listing.repo, file, progress):
                kept = link if link.is_file() and not link.is_symlink() else blob
                if not has_content(file, kept, progress):
                    fetch(file, blob, _opener(listing, file), progress=progress)
                link_blob(blob, link)
            paths.append(link)
        remember_revision(folder, listing.revision, listing.commit)
    except OSError as error:
        size = sum(file.size_bytes for file in files)
        raise disk_failure(error, folder / "blobs", size) from error
    return tuple(paths)


def reach_hub() -> tuple[str, float]:
    """Ask the hub for nothing, to see whether it is there.

    Returns:
        Name of its server, and the seconds until it answered.

    Raises:
        ModelError: It cannot be reached, or fails.
    """
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

    address = str(_client().constants.ENDPOINT)
    host, started = urlsplit(address).netloc, time.perf_counter()
    try:
        with _explained("the hub", MAIN):
            response = get_session().head(address, timeout=ANSWER_TIMEOUT_S, follow_redirects=True)
    except StreamLostError as error:
        raise error.failure from error
    if response.status_code >= 500:
        raise ModelError(f"{host} fails ({response.status_code})", hint="try again later")
    return host, time.perf_counter() - started


def cache_folder() -> Path:
    """The hub's cache, as its client has it from `HF_HUB_CACHE` and `HF_HOME`."""
    return Path(str(_client().constants.HF_HUB_CACHE)).expanduser()


def _client() -> Any:
    """The hub's client, told to send nothing but what we ask for."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # its transfers cannot be resumed or counted
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import huggingface_hub
    import huggingface_hub.errors
    from huggingface_hub.utils import logging as client_logging

    client_logging.set_verbosity(logging.CRITICAL)  # we say it ourselves, once
    return huggingface_hub


@contextmanager
def _lock(repo: str, file: Wanted, progress: Progress | None) -> Iterator[None]:
    """Hold the client's own lock on one file of the cache; a killed process holds none."""
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

    path = folder_of(cache_folder() / ".locks", repo) / f"{file.digest}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(WeakFileLock(path, timeout=LOCK_POLL_S))
                break
            except TimeoutError:
                if progress:
                    progress(f"another process downloads {file.name}", 0, 0)
        yield


def _opener(listing: Listing, file: Wanted) -> OpenStream:
    """A way to ask the hub for a file from an offset on."""
    client = _client()
    url = client.hf_hub_url(
        listing.repo,
        file.name,
        revision=listing.commit,
        endpoint=client.constants.ENDPOINT,
    )

    @contextmanager
    def open_stream(offset: int) -> Iterator[Stream]:
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            get_session,
            hf_raise_for_status,
        )

        headers = {**build_hf_headers(library_name="vidcli"), "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        timeout = max(float(client.constants.HF_HUB_DOWNLOAD_TIMEOUT), 1.0)
        with (
            _explained(listing.repo, listing.revision, file.name),
            get_session().stream("GET", url, headers=headers, timeout=timeout) as response,
        ):
            hf_raise_for_status(response)
            yield Stream(_first_byte(response), response.iter_raw())

    return open_stream


def _first_byte(response: Any) -> int:
    """Offset at which a response begins; 0 where the server sends the whole file."""
    if response.status_code != 206:
        return 0
    content_range = response.headers.get("Content-Range", "")
    start = content_range.removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else 0


@contextmanager
def _explained(repo: str, revision: str, file: str = "") -> Iterator[None]:
    """Refuse to go to the network offline, and turn what the client raises into one sentence."""
    forbidding = settings.name_offline_variable()
    if forbidding:
        raise ModelError(
            f"{repo} is on the hub, and {forbidding} forbids to ask it",
            hint=f"unset {forbidding}",
        )
    client = _client()
    host = urlsplit(str(client.constants.ENDPOINT)).netloc or "the hub"
    with explained(client.errors, Request(host, repo, revision, file)):
        yield
