"""The first use of a model, in a process of its own: llama.cpp aborts on some damaged files.

A header that lies in ways no check of ours foresees can end the process that loads it (1 in 80 of
randomly damaged ones did). So a pair of files that was never used before is loaded, shown one blank
frame and asked for one token in a child; a language model by itself is asked without a frame. What
the child survives, this process does too; what kills it becomes a `ModelError`. A mark on disk
remembers the files by their digests, so this happens once.

The child runs `main`: it reads a pickled `Trial` from its standard input.
"""

import hashlib
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidcli.core.child import child_command
from vidcli.core.files import atomic_write
from vidcli.core.model import GgufFacts, LanguageFiles, LoadOptions, ModelFiles
from vidcli.errors import ModelError, ResourceError, VidcliError

if TYPE_CHECKING:
    from vidcli.core.prompt import ImagePart
    from vidcli.engine.hearing import HearingSession
    from vidcli.engine.session import LlamaSession

VERSION = 1  # rises when a trial tries more than before
TRIAL_CTX = 4096  # room for a frame of any family
DISPLAY_SIZE = (640, 360)
SILENCE_S = 2
LEAST_S = 600.0  # that a trial may take, whatever the size; a large encoder on an old core needs 60
SLOWEST_BYTES_S = 2 * 1024**2  # of disks that models are read from; what hangs, hangs for good


@dataclass(frozen=True, slots=True)
class Trial:
    """What a child needs to load a model as this process would.

    Attributes:
        files: A pair, or a language model by itself.
        weights_facts: Header of the weights.
        mmproj_facts: Header of the projector; None where there is none.
        options: How to load.
        hears: Whether the projector is to hear, not to see.
    """

    files: ModelFiles | LanguageFiles
    weights_facts: GgufFacts
    mmproj_facts: GgufFacts | None
    options: LoadOptions
    hears: bool = False


def try_model(trial: Trial, marks: Path) -> None:
    """Make sure that a model can be loaded and used without ending the process.

    Args:
        trial: The model, and how it will be loaded.
        marks: Directory of marks of models tried before; not being able to write it only means
            that the trial is made again.

    Raises:
        VidcliError: What loading and using it raised.
        ModelError: It makes llama.cpp abort or hang.
        ResourceError: It was killed, as for want of memory.
    """
    mark = marks / _key(trial)
    if mark.exists():
        return
    limit = LEAST_S + _size_of(trial) / SLOWEST_BYTES_S
    with subprocess.Popen(
        child_command("vidcli.engine.trial"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            output, _ = child.communicate(pickle.dumps(trial), timeout=limit)
        except subprocess.TimeoutExpired:
            child.kill()
            raise ModelError(
                f"{_name_files(trial.files)} was not through its "
                f"first use after {limit:.0f} s: llama.cpp hangs on it, or its disk is very slow",
                hint="download them again and compare their sha256, or copy them to a faster disk",
            ) from None
        except BaseException:
            child.kill()
            raise
    if child.returncode < 0:
        raise _name_signal(trial.files, -child.returncode)
    failure: VidcliError | None = pickle.loads(output)
    if failure is not None:
        raise failure
    try:
        with atomic_write(mark) as file:
            file.write(trial.files.name.encode("utf-8", "replace"))
    except OSError:
        pass  # a read-only cache: tried again next time


def _size_of(trial: Trial) -> int:
    """Bytes to be read from the disk, all parts of a split model together."""
    projector = trial.mmproj_facts.size_bytes if trial.mmproj_facts is not None else 0
    return trial.weights_facts.size_bytes + projector


def _name_files(files: ModelFiles | LanguageFiles) -> str:
    if isinstance(files, ModelFiles):
        return f"{files.weights.name} with {files.mmproj.name}"
    return files.weights.name


def _key(trial: Trial) -> str:
    """Names the content of the files and all that decides how they are loaded."""
    from importlib.metadata import version

    files, options = trial.files, replace(trial.options, n_ctx=0, threads=0)
    what = (
        str(VERSION),
        version("llama-cpp-python"),
        files.weights_sha256,
        *((files.mmproj_sha256, files.derivation) if isinstance(files, ModelFiles) else ()),
        files.adapter_key,
        repr(options),
        *(("hears",) if trial.hears else ()),
    )
    return hashlib.sha256("\n".join(what).encode()).hexdigest()


def _name_signal(files: ModelFiles | LanguageFiles, number: int) -> VidcliError:
    if number == signal.SIGKILL:
        return ResourceError(
            f"{files.weights.name} was killed while it was tried, as for want of memory",
            hint="close other programs, or use a smaller quant or model",
        )
    name = signal.Signals(number).name
    which = "one of them" if isinstance(files, ModelFiles) else "it"
    return ModelError(
        f"{_name_files(files)} makes llama.cpp end with {name}: {which} is damaged",
        hint="download them again and compare their sha256"
        if isinstance(files, ModelFiles)
        else "download it again and compare its sha256",
    )


def use_once(trial: Trial) -> None:
    """Load a model, show it a blank frame or let it hear silence, and take one token.

    Raises:
        VidcliError: What loading and using it raises.
    """
    from vidcli.core.prompt import Part, Prompt, TextPart
    from vidcli.core.sampling import Sampling
    from vidcli.engine.hearing import HearingSession
    from vidcli.engine.language import LanguageSession
    from vidcli.engine.session import LlamaSession

    options = replace(trial.options, n_ctx=TRIAL_CTX)
    session: LanguageSession
    if isinstance(trial.files, ModelFiles):
        assert trial.mmproj_facts is not None, "a pair comes with both headers"
        kind = HearingSession if trial.hears else LlamaSession
        session = kind(
            trial.files,
            weights_facts=trial.weights_facts,
            mmproj_facts=trial.mmproj_facts,
            options=options,
        )
    else:
        session = LanguageSession(trial.files, facts=trial.weights_facts, options=options)
    with session:
        shown: tuple[Part, ...] = (TextPart("What is this?"),)
        if isinstance(session, LlamaSession):
            shown = (_show_blank(session), *shown)
        if isinstance(session, HearingSession):
            shown = (_play_silence(session), *shown)
        prefix = session.prefill(Prompt(session.render_chat([("user", shown)])))
        for _ in session.generate(prefix, Sampling(max_tokens=1)):
            pass


def _show_blank(session: "LlamaSession") -> "ImagePart":
    import numpy as np

    from vidcli.core.prompt import ImagePart

    width, height = session.frame_size(DISPLAY_SIZE)
    blank = np.zeros((height, width, 3), np.uint8)
    return ImagePart((), session.encode([blank] * session.profile.group))


def _play_silence(session: "HearingSession") -> "ImagePart":
    import numpy as np

    from vidcli.core.prompt import ImagePart
    from vidcli.core.sound import RATE

    return ImagePart((), session.encode_sound(np.zeros(SILENCE_S * RATE, np.float32)))


def main() -> None:
    """Use the model on standard input once; write what went wrong, or None, to standard output."""
    trial: Trial = pickle.load(sys.stdin.buffer)
    failure: VidcliError | None = None
    try:
        use_once(trial)
    except VidcliError as error:
        failure = type(error)(str(error), hint=error.hint)
    except MemoryError:
        failure = ResourceError(
            f"no memory to try {trial.files.weights.name}",
            hint="close other programs, or use a smaller quant or model",
        )
    sys.stdout.buffer.write(pickle.dumps(failure))
    sys.stdout.flush()
