"""The one table of settings: names, defaults, help; and what each is now, and why.

Order of precedence: flag, then `VIDCLI_*` environment, then `config.toml`, then the default here.
Options take their help and bounds from `TABLE`; the command line hands the file's values to them
(`vidcli.cli.kept`). What has no option is resolved here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from vidcli.core.model import Detail
from vidcli.core.setting import (
    AUTO_COUNT,
    AUTO_LAYERS,
    LENGTH,
    MODEL,
    NUMBER,
    PATH,
    SIZE,
    WHOLE,
    WORD,
    YES,
    YES_NO,
    Setting,
)
from vidcli.core.toml_file import Entry, TomlError, read_toml
from vidcli.core.units import GIB
from vidcli.errors import UsageError

ENV_PREFIX = "VIDCLI_"
NAME = "config.toml"

MAX_FRAMES = 64  # SmolVLM2's own recipe: 1 frame a second, at most 64
MIN_FRAMES = 8  # below this many seconds a short clip is sampled more densely than once a second
AUTO_FPS = 1.0
MAX_GAP_S = 30.0  # longest stretch that `--select shots` leaves unseen
MAX_TOKENS = 256
SEGMENT_TOKENS = 96  # of the caption of one segment: a sentence or two
N_CTX = 8192
CHECK_THRESHOLD = 0.5
FIND_THRESHOLD = 0.6  # above what half of the windows of a model without an opinion reach
DECODE_TIMEOUT_S = 60.0  # without a sign of life from the decoder
DECODE_MEMORY_BYTES = 4 * GIB
RECOMMENDED_MODEL = "smolvlm2-500m"

_SETTINGS = (
    Setting(
        "model",
        MODEL,
        None,
        "An installed model, hf:OWNER/REPO[:QUANT], a GGUF file or its folder.",
        metavar="NAME|FILE",
        unset="the largest installed one that fits",
        example=RECOMMENDED_MODEL,
    ),
    Setting(
        "mmproj",
        PATH,
        None,
        "Its vision projector, a GGUF file; the model's own otherwise.",
        metavar="FILE",
        unset="the model's own",
        example="~/models/mmproj.gguf",
    ),
    Setting(
        "detail",
        WORD,
        Detail.NORMAL.value,
        "How finely each frame is looked at; low is approximate and fast.",
        choices=tuple(Detail),
    ),
    Setting(
        "method",
        WORD,
        "auto",
        "How to watch the video: auto, a method, or METHOD:KEY=VALUE; 'vidcli methods' lists them.",
        metavar="NAME",
    ),
    Setting("n_ctx", WHOLE, N_CTX, "Context, in cells (tokens).", least=256),
    Setting(
        "gpu_layers",
        AUTO_LAYERS,
        "auto",
        "Layers to put on the GPU; auto takes all that fit.",
        metavar="auto|N",
    ),
    Setting("main_gpu", WHOLE, 0, "Which GPU.", least=0),
    Setting(
        "mmproj_device",
        WORD,
        "auto",
        "Where the vision encoder runs.",
        choices=("auto", "cpu", "gpu"),
    ),
    Setting("threads", WHOLE, 0, "Processor threads; 0 takes the free cores.", least=0),
    Setting("offline", YES_NO, False, "Open no connection, and offer none."),
    Setting("frames", AUTO_COUNT, "auto", "How many frames to look at, at most.", metavar="auto|N"),
    Setting(
        "fps", NUMBER, None, "Frames a second to look at.", example=1.0, least=0.0001, most=1000
    ),
    Setting(
        "select",
        WORD,
        None,
        "The rule that chooses frames; uniform where nothing else asks for another.",
        unset="uniform",
        example="shots",
        choices=("uniform", "fps", "keyframes", "shots"),
    ),
    Setting(
        "max_gap",
        LENGTH,
        None,
        "Longest stretch to leave unseen.",
        metavar="TIME",
        unset=f"{MAX_GAP_S:g} s with shots",
        example=30,
    ),
    Setting("max_tokens", WHOLE, MAX_TOKENS, "Longest answer.", least=1),
    Setting("temperature", NUMBER, 0.0, "0 is repeatable.", least=0, most=100),
    Setting("top_p", NUMBER, 1.0, "Nucleus; 1 is all.", least=0, most=1),
    Setting("min_p", NUMBER, 0.0, "Least relative probability.", least=0, most=1),
    Setting("seed", WHOLE, 0, "Of the random numbers.", least=0, most=2**32 - 1),
    Setting(
        "repeat_penalty", NUMBER, 1.0, "Above 1 discourages words just used.", least=0.01, most=100
    ),
    Setting(
        "frequency_penalty", NUMBER, 0.0, "For every time a word occurred.", least=-100, most=100
    ),
    Setting("presence_penalty", NUMBER, 0.0, "Once a word occurred.", least=-100, most=100),
    Setting(
        "threshold",
        NUMBER,
        CHECK_THRESHOLD,
        "Probability of yes from which the statement holds.",
        least=0,
        most=1,
    ),
    Setting(
        "format",
        WORD,
        None,
        "Form of the results.",
        unset="text",
        example="json",
        choices=("text", "json", "jsonl", "csv", "srt", "vtt", "md"),
    ),
    Setting(
        "cache_dir",
        PATH,
        None,
        "Derived files, safe to delete.",
        example="~/.cache/vidcli",
    ),
    Setting("cache_size", SIZE, "4GiB", "Most that the caches may hold."),
    Setting(
        "data_dir",
        PATH,
        None,
        "What is kept for good.",
        example="~/.local/share/vidcli",
    ),
    Setting(
        "state_dir",
        PATH,
        None,
        "The run journal, histories and crash reports.",
        example="~/.local/state/vidcli",
    ),
    Setting(
        "decode_timeout",
        LENGTH,
        int(DECODE_TIMEOUT_S),
        "How long a decoder may give no sign of life, as on a slow disk.",
    ),
    Setting("decode_memory", SIZE, "4GiB", "Memory that decoding one file may take."),
)
TABLE: Mapping[str, Setting] = {setting.key: setting for setting in _SETTINGS}
FOLDERS = ("cache_dir", "data_dir", "state_dir")
FORCES_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # the hub client's own


@dataclass(frozen=True, slots=True)
class Clash:
    """Two settings of which only one can hold.

    Attributes:
        first: A key.
        second: Another.
        agreeing: Values of `second` that go with `first` all the same.
    """

    first: str
    second: str
    agreeing: tuple[str, ...] = ()


CLASHES = (
    Clash("fps", "select", ("fps",)),
    Clash("max_gap", "select", ("shots",)),
    Clash("max_gap", "fps"),
)


class Source(StrEnum):
    """Where a value comes from; what stands first goes before what follows."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a setting is now.

    Attributes:
        setting: Which.
        written: As its origin writes it; None where it is decided case by case.
        source: Kind of origin.
        place: The variable, or the line of the file.
        problem: Why it cannot be used; empty where it can.
    """

    setting: Setting
    written: object
    source: Source
    place: str | int = ""
    problem: str = ""

    @property
    def value(self) -> Any:
        """The value meant, as commands use it.

        Raises:
            UsageError: What is written means none.
        """
        if self.problem:
            raise UsageError(f"{self.where}: {self.problem}", hint=self.hint)
        return None if self.written is None else self.setting.read(self.written)

    @property
    def where(self) -> str:
        """The origin in words."""
        if self.source is Source.FILE:
            return f"{config_path()}:{self.place}"
        return str(self.place) or Source.DEFAULT.value

    @property
    def hint(self) -> str:
        """How to put it right."""
        if self.source is Source.FILE:
            return "'vidcli config edit' opens the file"
        return f"unset {self.place}, or set it to what 'vidcli config show' lists"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the file.

    Attributes:
        line: Where, from 1; 0 where that is not known.
        text: What.
        hint: What to do.
    """

    line: int
    text: str
    hint: str = "'vidcli config edit' opens the file"


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says.

    Attributes:
        entries: What stands at each key that is a setting.
        problems: Everything that is wrong, by line.
    """

    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...]

    def require_whole(self) -> None:
        """Refuse a file that is wrong anywhere.

        Raises:
            UsageError: With the first thing that is wrong.
        """
        if self.problems:
            problem = self.problems[0]
            raise UsageError(f"{name_line(problem.line)}: {problem.text}", hint=problem.hint)


def config_path() -> Path:
    """The file: in `VIDCLI_CONFIG_DIR`, else in the platform's own directory."""
    chosen = os.environ.get(f"{ENV_PREFIX}CONFIG_DIR")
    return (Path(chosen).expanduser() if chosen else _platform_folder("config_dir")) / NAME


def name_line(line: int) -> str:
    """A line of the file, as compilers write it."""
    return f"{config_path()}:{line}" if line else str(config_path())


def read_config() -> Config:
    """Read the file; without one, nothing is kept."""
    path = config_path()
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Config({}, ())
    except OSError as error:
        return Config({}, (Problem(0, f"it cannot be read: {error.strerror or error}"),))
    return _read_config(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=4)
def _read_config(path: Path, _changed: int, _size: int, _inode: int) -> Config:
    try:
        return check_entries(read_toml(path))
    except TomlError as error:
        return Config({}, (Problem(error.line, f"this is no TOML: {error}"),))
    except OSError as error:
        return Config({}, (Problem(0, f"it cannot be read: {error.strerror or error}"),))


def check_entries(entries: Mapping[str, Entry]) -> Config:
    """Tell settings from what is none, and values that commands take from others."""
    problems = []
    for key, entry in entries.items():
        if key not in TABLE:
            hint = f"{suggest_key(key)}'vidcli config show' lists all"
            problems.append(Problem(entry.line, f"there is no setting {key!r}", hint))
            continue
        try:
            TABLE[key].read_kept(entry.value)
        except ValueError as error:
            problems.append(Problem(entry.line, f"{key} = {entry.value!r} {error}"))
    known = {key: entry for key, entry in entries.items() if key in TABLE}
    problems += _find_clashes(known)
    return Config(known, tuple(sorted(problems, key=lambda problem: problem.line)))


def _find_clashes(entries: Mapping[str, Entry]) -> list[Problem]:
    found = []
    for clash in CLASHES:
        if clash.first not in entries or clash.second not in entries:
            continue
        first, second = entries[clash.first], entries[clash.second]
        if second.value not in clash.agreeing:
            text = f"{clash.first} does not go with {clash.second} = {second.value!r}"
            hint = f"'vidcli config unset {clash.first}' takes one out"
            found.append(Problem(max(first.line, second.line), text, hint))
    return found


def suggest_key(key: str) -> str:
    """A question that names the setting meant by a wrong key; empty where none is close."""
    close = get_close_matches(key.lower().replace("-", "_"), TABLE, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def find(key: str) -> Kept:
    """What a setting is where no flag says otherwise; its problem is told, not raised."""
    setting = TABLE[key]
    if key == "offline" and (name := name_offline_variable()):
        return Kept(setting, True, Source.ENVIRONMENT, name)
    written = os.environ.get(setting.variable)
    if written:
        return Kept(
            setting, written, Source.ENVIRONMENT, setting.variable, _explain(setting, written)
        )
    config = read_config()
    if key in config.entries:
        entry = config.entries[key]
        problem = _explain(setting, entry.value, is_kept=True)
        return Kept(setting, entry.value, Source.FILE, entry.line, problem)
    default = str(_platform_folder(key)) if key in FOLDERS else setting.default
    return Kept(setting, default, Source.DEFAULT)


def _explain(setting: Setting, written: object, *, is_kept: bool = False) -> str:
    try:
        setting.read_kept(written) if is_kept else setting.read(written)
    except ValueError as error:
        return f"{setting.key} = {written!r} {error}"
    return ""


def resolve(key: str) -> Any:
    """The value of a setting that has no option.

    Raises:
        UsageError: Its variable or its line in the file means no value, or the file is wrong.
    """
    kept = find(key)
    if kept.source is not Source.ENVIRONMENT:
        read_config().require_whole()
    return kept.value


def cache_dir() -> Path:
    """Directory of derived files, safe to delete: `cache_dir`, else the platform's own."""
    return _folder("cache_dir")


def data_dir() -> Path:
    """Directory of what is kept for good: `data_dir`, else the platform's own."""
    return _folder("data_dir")


def state_dir() -> Path:
    """Directory of histories and crash reports: `state_dir`, else the platform's own."""
    return _folder("state_dir")


def cache_size() -> int:
    """Bytes that all caches together may hold."""
    return int(resolve("cache_size"))


def decode_limits() -> dict[str, Any]:
    """What decoding may take: `timeout_s` without a sign of life, `memory_bytes`."""
    timeout: Fraction = resolve("decode_timeout")
    return {"timeout_s": float(timeout), "memory_bytes": int(resolve("decode_memory"))}


def name_offline_variable() -> str | None:
    """The variable of the hub's own that forbids any network, whatever `offline` is."""
    values = ((name, os.environ.get(name, "").strip().lower()) for name in FORCES_OFFLINE)
    return next((name for name, value in values if value in YES), None)


def _folder(key: str) -> Path:
    variable = os.environ.get(TABLE[key].variable)
    return Path(variable or resolve(key)).expanduser()


def _platform_folder(key: str) -> Path:
    import platformdirs  # only commands that keep anything pay for it

    find_folder = getattr(platformdirs, f"user_{key.removesuffix('_dir')}_path")
    own: Path = find_folder("vidcli", appauthor=False)
    return own
