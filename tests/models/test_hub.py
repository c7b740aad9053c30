"""Downloads through the hub's real client, from a hub of ours that fails as networks do."""

import errno
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import huggingface_hub
import pytest

from tests.hub import Faults, Hub, Repo, sha256
from vidcli.errors import ModelError, ResourceError, UsageError, VidcliError
from vidcli.models import hub as hub_module
from vidcli.models import hub_cache, transfer
from vidcli.models.hub import Listing, cache_folder, download, list_repo
from vidcli.models.hub_cache import remove_files
from vidcli.models.transfer import INCOMPLETE

NAME = "maker/model"
SIZE = 3_000_000
PULL = (
    "import sys\n"
    "from vidcli.models.hub import list_repo, download\n"
    f"listing = list_repo({NAME!r})\n"
    "wanted = [f for f in listing.files if f.name.endswith('.gguf')]\n"
    "print(*download(listing, wanted), sep='\\n')\n"
)


@pytest.fixture
def content() -> bytes:
    return random.Random(5).randbytes(SIZE)


@pytest.fixture
def served(hub: Hub, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with one repository, and no waiting between attempts."""
    monkeypatch.setattr(transfer, "WAITS_S", (0.0, 0.0))
    monkeypatch.setattr(hub_module, "_WAITS_S", (0.0, None))
    hub.repos[NAME] = Repo({"model-Q8_0.gguf": content, "config.json": b"{}"})
    return hub


def fetch_model(listing: Listing | None = None) -> Path:
    listing = listing or list_repo(NAME)
    wanted = [file for file in listing.files if file.name == "model-Q8_0.gguf"]
    return download(listing, wanted)[0]


def blobs() -> list[Path]:
    return sorted((cache_folder() / "models--maker--model" / "blobs").glob("*"))


def partial(content: bytes) -> Path:
    blob = cache_folder() / "models--maker--model" / "blobs" / sha256(content)
    blob.parent.mkdir(parents=True, exist_ok=True)
    return blob.with_name(blob.name + INCOMPLETE)


def test_a_listing_says_commit_licence_sizes_and_digests(served: Hub, content: bytes):
    listing = list_repo(NAME)
    assert (listing.commit, listing.licence) == ("c" * 40, "apache-2.0")
    served.repos[NAME].card = {"license": "other", "license_name": "lfm1.0"}
    assert list_repo(NAME).licence == "lfm1.0"
    served.repos[NAME].card = {}
    assert list_repo(NAME).licence == ""
    model = next(file for file in listing.files if file.name.endswith(".gguf"))
    assert (model.size_bytes, model.sha256) == (SIZE, sha256(content))


def test_what_is_downloaded_is_where_the_hubs_own_client_finds_it(served: Hub, content: bytes):
    path = fetch_model()
    assert path.read_bytes() == content
    served.requests.clear()
    found = huggingface_hub.hf_hub_download(NAME, "model-Q8_0.gguf", local_files_only=True)
    assert Path(found) == path
    assert huggingface_hub.hf_hub_download(NAME, "model-Q8_0.gguf") == str(path)
    assert served.bodies() == []
    report = huggingface_hub.scan_cache_dir()
    assert (list(report.warnings), report.size_on_disk) == ([], SIZE)


def test_what_the_hubs_own_client_downloaded_is_not_downloaded_again(served: Hub):
    huggingface_hub.hf_hub_download(NAME, "model-Q8_0.gguf")
    served.requests.clear()
    fetch_model()
    assert served.bodies() == []


def test_the_transfer_needs_no_xet(served: Hub):
    code = PULL + "import sys; assert 'hf_xet' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_small_file_that_is_not_in_lfs_is_checked_too(served: Hub):
    listing = list_repo(NAME)
    wanted = [file for file in listing.files if file.name == "config.json"]
    assert download(listing, wanted)[0].read_bytes() == b"{}"


def test_dropped_connections_are_taken_up_where_they_dropped(served: Hub, content: bytes):
    served.faults.drops = [1_000_000, 500_000, 0]
    assert fetch_model().read_bytes() == content
    assert served.bodies()[0] == ""
    starts = [int(span.removeprefix("bytes=").rstrip("-")) for span in served.bodies()[1:]]
    assert starts == sorted(starts)
    assert starts[0] == 1_000_000


def test_a_server_that_knows_no_ranges_sends_all_again(served: Hub, content: bytes):
    served.faults.drops = [1_000_000]
    served.faults.ignores_range = True
    assert fetch_model().read_bytes() == content


def test_a_connection_that_keeps_dropping_ends_in_one_line_and_keeps_what_came(
    served: Hub, content: bytes
):
    served.faults.drops = [700_000, *[0] * 9]
    with pytest.raises(ModelError, match=r"connection to 127\.0\.0\.1") as failed:
        fetch_model()
    assert "kept" in str(failed.value.hint)
    assert [path.name for path in blobs()] == [partial(content).name]
    assert partial(content).stat().st_size == 700_000
    served.faults = Faults()
    served.requests.clear()
    assert fetch_model().read_bytes() == content
    assert served.bodies() == ["bytes=700000-"]


@pytest.mark.parametrize("after", [1, 65_536, 1_500_000, SIZE - 1])
def test_a_pull_killed_at_any_byte_goes_on_there(served: Hub, content: bytes, after: int):
    served.faults.hold_after = after
    child = subprocess.Popen([sys.executable, "-c", PULL])
    path, deadline = partial(content), time.monotonic() + 20
    try:
        while not path.exists() or path.stat().st_size < after:
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.005)
    finally:
        child.kill()
        child.wait()
    served.faults.release.set()
    served.faults = Faults()
    assert [blob.name for blob in blobs()] == [path.name]
    there = path.stat().st_size
    assert there == after
    served.requests.clear()
    assert fetch_model().read_bytes() == content
    assert served.bodies() == [f"bytes={there}-"]


def test_two_pulls_at_once_both_end_well_and_download_once(served: Hub, content: bytes):
    served.faults.pause_s = 0.01
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PULL],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert Path(outputs[0][0].strip()).read_bytes() == content
    assert len(served.bodies()) == 1


def test_a_damaged_body_is_refused_and_nothing_of_it_stays(served: Hub):
    served.faults.corrupt = 1
    with pytest.raises(ModelError, match="arrived damaged"):
        fetch_model()
    assert blobs() == []


def test_a_damaged_start_from_an_earlier_pull_is_downloaded_anew(served: Hub, content: bytes):
    partial(content).write_bytes(b"x" * 1000)
    assert fetch_model().read_bytes() == content
    assert served.bodies() == ["bytes=1000-", ""]


def test_a_damaged_file_in_the_cache_is_downloaded_again(served: Hub, content: bytes):
    path = fetch_model()
    path.resolve().write_bytes(content[:-1] + b"?")
    assert fetch_model().read_bytes() == content


@pytest.mark.parametrize(
    ("prefix", "status", "headers", "said"),
    [
        ("/api/", 404, {"X-Error-Code": "RepoNotFound"}, "the hub has no repository maker/model"),
        ("/api/", 401, {}, "does not exist, or is private"),
        ("/api/", 403, {"X-Error-Code": "GatedRepo"}, "gated"),
        ("/cdn/", 403, {}, "does not let you read maker/model"),
        ("/maker/", 401, {"X-Error-Code": "GatedRepo"}, "gated"),
        ("/api/", 503, {}, r"127.0.0.1:\d+ fails \(503\)"),
        ("/cdn/", 500, {}, r"fails \(500\)"),
        ("/maker/", 404, {"X-Error-Code": "EntryNotFound"}, "no file model-Q8_0.gguf in maker/mo"),
        ("/api/", 429, {}, "left alone"),
        ("/api/", 407, {}, "the proxy wants a login"),
        ("/api/", 418, {}, r"refuses maker/model \(418\)"),
    ],
)
def test_each_refusal_is_one_clear_line_with_a_hint(
    served: Hub, prefix: str, status: int, headers: dict[str, str], said: str
):
    served.faults.status[prefix] = (status, headers)
    with pytest.raises(ModelError, match=said) as failed:
        fetch_model()
    assert "\n" not in str(failed.value)
    assert failed.value.hint
    assert [path for path in blobs() if not path.name.endswith(INCOMPLETE)] == []


def test_a_server_that_recovers_is_asked_again(
    served: Hub, content: bytes, monkeypatch: pytest.MonkeyPatch
):
    listing = list_repo(NAME)
    served.faults.status["/cdn/"] = (503, {})
    threading.Timer(0.2, served.faults.status.clear).start()
    monkeypatch.setattr(transfer, "WAITS_S", (0.5, 5.0))
    assert fetch_model(listing).read_bytes() == content


def test_a_revision_that_is_not_there_is_named(served: Hub):
    with pytest.raises(ModelError, match="maker/model has no revision v9"):
        list_repo(NAME, "v9")


def test_a_login_page_is_not_taken_for_the_hub(served: Hub):
    served.faults.answers_page = True
    with pytest.raises(ModelError, match="does not answer as the hub does"):
        list_repo(NAME)


@pytest.mark.parametrize("name", ["../../../x.gguf", "/etc/x.gguf"])
def test_a_listing_that_leads_outside_the_cache_is_refused(served: Hub, name: str, content: bytes):
    served.repos[NAME].files[name] = content
    with pytest.raises(ModelError, match="does not answer as the hub does"):
        list_repo(NAME)


def test_a_name_that_is_none_is_a_usage_error(served: Hub):
    with pytest.raises(UsageError, match="no name of a repository"):
        list_repo("a//b..c")


def test_a_proxy_that_is_not_there_is_named(served: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    huggingface_hub.close_session()
    with pytest.raises(ModelError, match=r"proxy 127.0.0.1:9") as failed:
        list_repo(NAME)
    assert "secret" not in str(failed.value)
    assert "HTTP_PROXY" in str(failed.value.hint)


def test_a_hub_that_is_not_there_is_named(served: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"the connection to 127\.0\.0\.1:9 failed") as failed:
        list_repo(NAME)
    assert "network" in str(failed.value.hint)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_asks_nobody(served: Hub, variable: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ModelError, match=f"{variable} forbids"):
        list_repo(NAME)
    assert served.requests == []


def test_too_little_free_disk_is_said_before_a_byte_is_downloaded(
    served: Hub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_cache, "read_free_disk", lambda path: SIZE)
    with pytest.raises(ResourceError, match=r"2\.9 MiB are to be downloaded"):
        fetch_model()
    assert served.bodies() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that only Linux has")
def test_a_disk_that_fills_up_is_a_resource_error_and_no_file(served: Hub, content: bytes):
    partial(content).symlink_to("/dev/full")  # every write there fails as on a full disk
    with pytest.raises(ResourceError, match=os.strerror(errno.ENOSPC)) as failed:
        fetch_model()
    assert "goes on where it stopped" in str(failed.value.hint)
    assert [path.name for path in blobs()] == [partial(content).name]
    partial(content).unlink()
    assert fetch_model().read_bytes() == content


def test_removed_files_free_their_content_once_no_snapshot_has_it(served: Hub, content: bytes):
    first = fetch_model()
    served.repos[NAME].commit = "d" * 40
    second = fetch_model()
    assert first.resolve() == second.resolve()
    assert remove_files([first]) == 0
    assert second.read_bytes() == content
    report = huggingface_hub.scan_cache_dir()
    assert ([str(warning) for warning in report.warnings], len(report.repos)) == ([], 1)
    assert remove_files([second]) == SIZE
    assert list(cache_folder().glob("models--*")) == []


def test_a_file_system_without_links_keeps_the_file_itself(
    served: Hub, content: bytes, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_args: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert fetch_model().read_bytes() == content
    path = fetch_model()
    assert not path.is_symlink()
    assert len(served.bodies()) == 1
    assert remove_files([path]) == SIZE


def test_an_unwritable_cache_is_a_resource_error(served: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", "/dev/null/hub")
    with pytest.raises(VidcliError) as failed:
        fetch_model()
    assert isinstance(failed.value, ResourceError)
    assert "HF_HOME" in str(failed.value.hint)
