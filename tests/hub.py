"""A server on this machine that speaks the hub's API, and fails in the ways a network does."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LFS_FROM = 1024  # bytes from which a file is in LFS, as on the hub


@dataclass
class Repo:
    """A repository at one commit."""

    files: dict[str, bytes]
    commit: str = "c" * 40
    card: dict[str, str] = field(default_factory=lambda: {"license": "apache-2.0"})


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    status: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)  # by path prefix
    drops: list[int] = field(default_factory=list)  # bytes each of the next bodies ends after
    corrupt: int = 0  # how many of the next bodies have a wrong byte
    ignores_range: bool = False
    answers_page: bool = False  # a login page in place of the API
    pause_s: float = 0.0  # before each piece of a body
    piece: int = 65536
    hold_after: int = 0  # bytes after which a body waits for `release`; 0 for none
    release: threading.Event = field(default_factory=threading.Event)


class Hub:
    """The server; `endpoint` is for `HF_ENDPOINT`, `requests` what it was asked."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.faults = Faults()
        self.requests: list[tuple[str, str, str]] = []
        self.lock = threading.Lock()
        hub = self

        class Handler(_Handler):
            served = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def bodies(self) -> list[str]:
        """The ranges of all requests for content, empty for a whole file."""
        return [span for method, path, span in self.requests if path.startswith("/cdn/")]

    @contextmanager
    def serving(self) -> Iterator["Hub"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def blob(self, digest: str) -> bytes | None:
        contents = (data for repo in self.repos.values() for data in repo.files.values())
        return next((data for data in contents if sha256(data) == digest), None)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are killed are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Hub
    server: _Server

    def log_message(self, *_args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, path = self.served, unquote(urlsplit(self.path).path)
        with hub.lock:
            hub.requests.append((self.command, path, self.headers.get("Range", "")))
        for prefix, (status, headers) in hub.faults.status.items():
            if path.startswith(prefix):
                self._send(status, b"no", headers)
                return
        if hub.faults.answers_page:
            self._send(200, b"<html>log in</html>", {})
        elif path.startswith("/api/models/"):
            self._send_info(path.removeprefix("/api/models/"))
        elif path.startswith("/cdn/"):
            self._send_content(path.removeprefix("/cdn/"))
        else:
            self._send_link(path)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_info(self, path: str) -> None:
        name, _, revision = path.partition("/revision/")
        repo = self.served.repos.get(name)
        if repo is None:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("", "main", repo.commit):
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        else:
            siblings = [_sibling(file, data) for file, data in repo.files.items()]
            info = {
                "id": name,
                "sha": repo.commit,
                "siblings": siblings,
                "cardData": repo.card,
                "tags": [],
                "downloads": 0,
                "private": False,
            }
            self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _send_link(self, path: str) -> None:
        name, _, rest = path.strip("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        repo = self.served.repos.get(name)
        data = repo.files.get(file) if repo and revision in ("main", repo.commit) else None
        if repo is None or data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound" if repo else "RepoNotFound"})
            return
        etag = sha256(data) if len(data) >= LFS_FROM else git_sha1(data)
        headers = {
            "X-Repo-Commit": repo.commit,
            "X-Linked-ETag": f'"{etag}"',
            "X-Linked-Size": str(len(data)),
            "ETag": f'"{etag}"',
        }
        if len(data) < LFS_FROM:
            self._send(200, data, headers)
        else:
            # Another host than the hub's, as in truth.
            location = f"http://localhost:{self.server.server_port}/cdn/{sha256(data)}"
            self._send(302, b"", {**headers, "Location": location})

    def _send_content(self, digest: str) -> None:
        faults, data = self.served.faults, self.served.blob(digest)
        if data is None:
            self._send(403, b"", {})
            return
        span = "" if faults.ignores_range else self.headers.get("Range", "")
        start = int(span.removeprefix("bytes=").partition("-")[0]) if span else 0
        with self.served.lock:
            drop = faults.drops.pop(0) if faults.drops else None
            faults.corrupt, corrupt = max(faults.corrupt - 1, 0), faults.corrupt > 0
        body = bytearray(data[start:])
        if corrupt:
            body[len(body) // 2] ^= 1
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(body)))
        if span:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self._send_pieces(bytes(body if drop is None else body[:drop]))
        self.close_connection = drop is not None

    def _send_pieces(self, body: bytes) -> None:
        faults = self.served.faults
        hold = faults.hold_after or len(body)
        starts = [*range(0, hold, faults.piece), *range(hold, len(body), faults.piece)]
        for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
            if faults.hold_after and start == hold:
                faults.release.wait(30)
            try:
                self.wfile.write(body[start:end])
                self.wfile.flush()
            except OSError:  # the client was killed
                self.close_connection = True
                return
            if faults.pause_s:
                time.sleep(faults.pause_s)


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_sha1(data)}
    if len(data) >= LFS_FROM:
        entry["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
    return entry
