"""What the hub's client raises, as one sentence and the next command to type.

Not here: the client (`models.hub` passes its error classes in).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from vidcli.errors import ModelError, UsageError, VidcliError
from vidcli.models.transfer import StreamLostError

_MAY_PASS = (408, 425, 429, 500, 502, 503, 504)
_PROXY_HINT = "check HTTPS_PROXY and HTTP_PROXY, or unset them"
_THROUGH_PROXY = ("ProxyError", "ConnectError", "UnsupportedProtocol")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the hub, for messages.

    Attributes:
        host: Name of its server.
        repo: `owner/name`.
        revision: Branch, tag or commit.
        file: In the repository; empty for its listing.
    """

    host: str
    repo: str
    revision: str
    file: str = ""


@contextmanager
def explained(errors: Any, request: Request) -> Iterator[None]:
    """Turn what the client raises into one sentence.

    Args:
        errors: The client's module of error classes.
        request: What is asked in the block.

    Raises:
        StreamLostError: It may pass.
        VidcliError: It will not.
    """
    try:
        yield
    except errors.HFValidationError as error:
        raise UsageError(
            f"{request.repo!r} is no name of a repository", hint="vidcli models pull hf:OWNER/REPO"
        ) from error
    except errors.HfHubHTTPError as error:
        failure = _say_status(error, errors, request)
        if error.response.status_code in _MAY_PASS:
            raise StreamLostError(failure) from error
        raise failure from error
    except errors.HTTPError as error:
        raise StreamLostError(_say_unreachable(error, request.host)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{request.host} does not answer as the hub does: {error}",
            hint="a login page of the network, or a wrong HF_ENDPOINT, may answer in its place",
        ) from error


def _say_status(error: Any, errors: Any, request: Request) -> VidcliError:
    """What a refusal of the hub means."""
    status = error.response.status_code
    repo, file = request.repo, request.file
    page = f"https://huggingface.co/{repo}"
    if isinstance(error, errors.GatedRepoError):
        return ModelError(
            f"{repo} is gated: its owners want you to accept their terms first",
            hint=f"accept them at {page}, then log in with 'hf auth login' or set HF_TOKEN",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelError(f"{repo} has no revision {request.revision}", hint=f"see {page}/commits")
    if status == 407:
        return ModelError("the proxy wants a login (407)", hint=_PROXY_HINT)
    if status in (401, 403):
        return ModelError(
            f"the hub does not let you read {repo} ({status}): it does not exist, or is private",
            hint="check its name; for a private one log in with 'hf auth login' or set HF_TOKEN",
        )
    if status == 404:
        what = f"file {file} in {repo}" if file else f"repository {repo}"
        return ModelError(f"the hub has no {what}", hint="check its name, or pull it again")
    if status == 429:
        return ModelError(
            "the hub asks to be left alone for a while (429)",
            hint="try again in a few minutes; 'hf auth login' raises the limit",
        )
    if status >= 500:
        return ModelError(
            f"{request.host} fails ({status})",
            hint="try again later: what is downloaded is kept",
        )
    return ModelError(f"{request.host} refuses {file or repo} ({status})", hint="try again later")


def _say_unreachable(error: Exception, host: str) -> VidcliError:
    """What a connection that failed means."""
    kind = type(error).__name__
    reason = "no answer in time" if "Timeout" in kind else str(error).rstrip(".") or kind
    proxies = _name_proxies()
    if proxies and kind in _THROUGH_PROXY:
        return ModelError(
            f"{host} cannot be reached through the proxy {proxies}: {reason}", hint=_PROXY_HINT
        )
    return ModelError(
        f"the connection to {host} failed: {reason}",
        hint="check the network and try again: what is downloaded is kept",
    )


def _name_proxies() -> str:
    """The proxies of the environment, without their passwords."""
    urls = (url for kind, url in getproxies().items() if kind in ("http", "https", "all"))
    return ", ".join(sorted({urlsplit(url).netloc.rpartition("@")[2] or url for url in urls}))
