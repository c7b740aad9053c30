"""Whether downloads are allowed and which way they would go; the hub is asked on demand only."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies

from vidcli import settings
from vidcli.core.findings import Finding, Level
from vidcli.errors import VidcliError

FREE_OF = "nothing but 'models pull' and 'doctor --online' opens a connection"


def check_network() -> Iterator[Finding]:
    """Offline mode, proxies, another hub."""
    kept = settings.find("offline")
    if not kept.problem and kept.value:
        text = f"offline, as {kept.where} says: no model can be downloaded"
        yield Finding("offline", Level.NOTE, text, "vidcli models pull NAME --no-offline")
    else:
        yield Finding("offline", Level.OK, FREE_OF)
    proxies = {kind: _without_password(url) for kind, url in sorted(getproxies().items())}
    if proxies:
        ways = ", ".join(f"{kind} through {url}" for kind, url in proxies.items())
        yield Finding("proxy", Level.OK, ways, facts=proxies)
    endpoint = os.environ.get("HF_ENDPOINT")
    if endpoint:
        yield Finding("hub-address", Level.NOTE, f"HF_ENDPOINT names another hub: {endpoint}")


def _without_password(url: str) -> str:
    parts = urlsplit(url if "//" in url else f"//{url}")
    return f"{parts.scheme}://{parts.hostname or ''}:{parts.port or ''}".strip(":/")


def check_hub() -> Iterator[Finding]:
    """Ask the hub whether it is there; this opens a connection, except in offline mode."""
    from vidcli.models.hub import reach_hub

    kept = settings.find("offline")
    if not kept.problem and kept.value:
        yield Finding("hub", Level.NOTE, f"the hub was not asked: offline, as {kept.where} says")
        return
    try:
        host, seconds = reach_hub()
    except VidcliError as error:
        yield Finding("hub", Level.WARNING, str(error), error.hint or "")
        return
    text = f"{host} answered within {seconds:.1f} s"
    yield Finding("hub", Level.OK, text, facts={"host": host, "seconds": round(seconds, 3)})
