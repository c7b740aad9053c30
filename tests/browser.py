"""A real browser that somebody installed: Chromium or Chrome, driven without a window."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 120  # before a page that does nothing counts as broken; a busy machine is none
ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str:
    """The program to start."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    found = found or next((path for path in ON_MACOS if Path(path).exists()), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium is installed, and pages must be tested in CI")
    if found is None:
        pytest.skip("no Chromium or Chrome is installed")
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser for the block."""
    path = find_browser()
    with sync_playwright() as driver:
        # Its own sandbox cannot be had in every container; the pages are our own.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page that is looked at; use as a context manager.

    Attributes:
        page: To act on.
        requests: URLs of everything that was asked for, data URLs left out.
        errors: What scripts threw, and dialogs that were opened.
        complaints: What the browser wrote to its console.
    """

    def __init__(self, browser: Browser, path: Path, **options: Any) -> None:
        self._context = browser.new_context(**options)
        self._context.set_default_timeout(1000 * PATIENCE_S)
        self.page: Page = self._context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.goto(path.absolute().as_uri())

    def _note(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.requests.append(request.url)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def wait_for_video(self) -> None:
        """Wait until the video can show a picture."""
        self.wait_until("document.getElementById('video').readyState >= 2")

    def wait_until(self, script: str) -> None:
        """Wait until a script says yes; the driver's own waiting needs eval, which pages refuse."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(script):
            assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {script}"
            self.page.wait_for_timeout(50)

    def run(self, script: str) -> Any:
        """What a script gives."""
        return self.page.evaluate(script)
