"""The one table of methods: how a video may be watched, what each costs, and what runs it.

An entry is all it takes: `vidcli methods`, `--method`, its completion and its parameters follow
from it. A method shows visual tokens in an arrangement of its own (`shows`), or does the whole work
in its own way (`runs`); both name code as `module:name`, which is imported when it is used.

Not here: which method `auto` takes (`vidcli.methods.auto`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from typing import Any

from vidcli.core.method import Method, Option
from vidcli.errors import UsageError

AUTO, UNIFORM = "auto", "uniform"
FOLLOWS = "visual tokens in one sequence: no M-RoPE, no attention both ways"
GRID = "visual tokens in rows and columns"
SLOW_POOLS = (
    "spatial_1d_max_pool",
    "spatial_1d_avg_pool",
    "spatial_2d_max_pool",
    "spatial_2d_avg_pool",
    "concat",
)


CAPTIONS, TREE, AGENT, HYBRID = "captions", "tree", "agent", "hybrid"
READING_TOOLS = "vidcli.cli.reading:make_tools"
PROMPT = Option(
    "prompt",
    "qa",
    "The question at once, of a summary made for it, or after a reasoning.",
    choices=("qa", "sumq", "cot"),
)
_METHODS = (
    Method(
        name=UNIFORM,
        idea="Frames spread evenly, each shown by itself with its time.",
        paper="each model family's own video recipe",
        cost="one encode and all tokens for each frame",
        shows="vidcli.methods.recipe:make_uniform",
    ),
    Method(
        name="slowfast",
        idea="Few frames in detail, then all of them in outline, as one run of tokens.",
        paper="SlowFast-LLaVA, arXiv:2407.15841 (apple/ml-slowfast-llava)",
        differs="its token scheme on your model; the published numbers are of LLaVA-1.6, and sides"
        " of other grids than 24x24 shrink in the same ratio",
        cost="50 encodes; 3680 tokens of 24x24 a frame, 520 of 8x8",
        needs=(FOLLOWS, GRID),
        options=(
            Option("frames", 50, "Frames looked at, all of them on the fast pathway."),
            Option("slow", 10, "Frames on the slow pathway."),
            Option("pool", SLOW_POOLS[0], "How each slow frame is pooled.", choices=SLOW_POOLS),
            Option("fast", "auto", "Grid of each fast frame, as 4x4; auto is a sixth of a side."),
        ),
        shows="vidcli.methods.slowfast:make_slowfast",
        spelled="vidcli.methods.slowfast:read_published",
        arranges=True,
    ),
    Method(
        name="grid",
        idea="Frames in rows and columns of a single picture.",
        paper="IG-VLM, arXiv:2403.18406 (imagegridworth/IG-VLM)",
        differs="the published numbers are of LLaVA-1.6 and GPT-4V, which see the picture in tiles",
        cost="one encode and the tokens of one picture",
        options=(Option("frames", 6, "Frames in the picture; six make three rows of two."),),
        shows="vidcli.methods.grid:make_grid",
    ),
    Method(
        name="memory",
        idea="Every fragment leaves a few frames, merged with their likes, in a bounded memory.",
        paper="MovieChat, arXiv:2307.16449 (rese1f/MovieChat)",
        differs="it holds the projector's tokens and a budget of them, not a Q-Former's; frames are"
        " alike by cosine unless similarity=dot",
        cost="one encode for each second, at most 1024; 4096 tokens; memory does not grow",
        needs=(FOLLOWS,),
        options=(
            Option("frames", 0, "Frames looked at; 0 is one a second, at most 1024.", least=0),
            Option("tokens", 4096, "Most tokens of the whole memory."),
            Option("fragment", 8, "Frames of one fragment.", least=2),
            Option("keep", 2, "Frames that a fragment leaves."),
            Option("long", 256, "Most frames of the long memory."),
            Option("similarity", "cosine", "Which frames are alike.", choices=("cosine", "dot")),
            Option("at", "", "Ask about this moment and its past only, as --at does."),
        ),
        shows="vidcli.methods.memory:make_memory",
        arranges=True,
    ),
    Method(
        name="spatiotemporal",
        idea="One token for each instant, then one for each place.",
        paper="Video-ChatGPT, arXiv:2306.05424 (mbzuai-oryx/Video-ChatGPT)",
        differs="on a model that was not taught with it; before a projector that is not linear it"
        " is an approximation",
        cost="100 encodes; a token a frame and those of one frame: 164 of 8x8, 676 of 24x24",
        needs=(FOLLOWS,),
        options=(
            Option("frames", 100, "Most frames looked at."),
            Option(
                "pad",
                "none",
                "Whether zeros stand for the frames that a short video lacks, as published.",
                choices=("none", "zeros"),
            ),
        ),
        shows="vidcli.methods.spatiotemporal:make_spatiotemporal",
        arranges=True,
    ),
    Method(
        name=CAPTIONS,
        idea="Every frame captioned in order of time, then only the captions are read.",
        paper="LLoVi, arXiv:2312.17235 (CeeZh/LLoVi)",
        cost="one caption a frame, kept for later questions; then one call of text, or two",
        needs=("a model that follows instructions, or --planner with one that does",),
        options=(PROMPT,),
        runs="vidcli.methods.reading:answer_captions",
        tools=READING_TOOLS,
        estimates="vidcli.methods.reading:estimate_captions",
        differs="no few-shot examples, grounding prompt or plan-and-solve; captions by the model "
        "itself",
    ),
    Method(
        name=TREE,
        idea="Frames clustered by look, one of each captioned, more where the question needs it.",
        paper="VideoTree, arXiv:2405.19209 (Ziyang412/VideoTree)",
        cost="every frame encoded, few captioned; up to three calls on relevance, then as captions",
        needs=("a model that follows instructions, or --planner with one that does",),
        options=(PROMPT, Option("budget", 64, "Frames that may be captioned.")),
        runs="vidcli.methods.reading:answer_tree",
        tools=READING_TOOLS,
        estimates="vidcli.methods.reading:estimate_tree",
        differs="frames compared by the model's own visual tokens, not CLIP's; relevance alone is "
        "asked for; captions are bounded",
    ),
    Method(
        name=AGENT,
        idea="A planner that sees no picture calls tools that look, and judges its own answer.",
        paper="VideoAgent, arXiv:2403.10517 (wxh1996/VideoAgent); style=react: VideoAgent,"
        " arXiv:2403.11481 (YueFan1014/VideoAgent)",
        cost="a few captions and two calls of text, then more where the planner is not sure",
        needs=("a model that follows instructions, or --planner with one that does",),
        options=(
            Option(
                "style",
                "confidence",
                "Judge an answer and look for what is missing, or think and call tools.",
                choices=("confidence", "react"),
            ),
            Option("rounds", 0, "Most rounds; 0 is 3, or 10 with style=react.", least=0),
            Option("frames", 0, "Frames to begin with; 0 is 5, or 4 a segment.", least=0),
            Option("seconds", 600, "Nothing new is begun after them."),
        ),
        runs="vidcli.methods.agent.method:answer_agent",
        tools="vidcli.cli.agent_senses:make_tools",
        estimates="vidcli.methods.agent.method:estimate_agent",
        differs="the model that sees compares frames with descriptions, not CLIP or ViCLIP; see "
        "'vidcli agent', which also writes plans",
    ),
    Method(
        name=HYBRID,
        idea="What tools found, in words, and the frames themselves, in one prompt.",
        paper="VideoChat, arXiv:2305.06355 (OpenGVLab/Ask-Anything)",
        cost="one caption a frame and one every 5 s, kept for later questions; every frame shown;"
        " mode=transcript: no captions, but hearing where there are no subtitles",
        needs=("a model that follows instructions",),
        options=(
            Option(
                "mode",
                "hybrid",
                "The words of tools alone, the frames alone, or both; or what is said, then the"
                " frames, as Video-LLaMA (arXiv:2306.02858) has them.",
                choices=("text", "embed", "hybrid", "transcript"),
            ),
            Option(
                "speech",
                "auto",
                "Subtitles, else Whisper where it is there; Whisper; or nothing.",
                choices=("auto", "whisper", "none"),
            ),
            Option(
                "screen",
                "auto",
                "On-screen text where the extra 'ocr' is there, or nothing.",
                choices=("auto", "none"),
            ),
        ),
        runs="vidcli.methods.mixed:answer_hybrid",
        tools="vidcli.cli.mixing:make_tools",
        estimates="vidcli.methods.mixed:estimate_hybrid",
        differs="no InternVideo or GMHRA: captions by the model itself, tags from their words, one "
        "connector as the model's family has it; no ImageBind: the sound of mode=transcript is its"
        " words",
    ),
)
METHODS: Mapping[str, Method] = {method.name: method for method in _METHODS}


def load_named(place: str) -> Any:
    """What `module:name` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class ChosenMethod:
    """A method as it was asked for.

    Attributes:
        asked: As written; `auto` where nothing was.
        method: Which; None for `auto`.
        options: Every parameter, those not written included.
        why: Why `auto` took it.
    """

    asked: str
    method: Method | None
    options: Mapping[str, int | str] = field(default_factory=dict)
    why: str = ""

    @cached_property
    def recipe(self) -> Any:
        """The recipe of a method that shows; made once.

        Raises:
            UsageError: Its parameters contradict each other.
        """
        assert self.method is not None
        return load_named(self.method.shows)(self.options)

    @property
    def runs(self) -> bool:
        """Whether the method does the whole work itself."""
        return self.method is not None and bool(self.method.runs)


def read_method(text: str) -> ChosenMethod:
    """What `--method` names: `auto`, a name, or `NAME:KEY=VALUE,KEY=VALUE`.

    Raises:
        UsageError: There is no such method, no such parameter, or it cannot have that value.
    """
    name, _, written = text.strip().partition(":")
    if name.casefold() == AUTO and not written:
        return ChosenMethod(AUTO, None)
    spelled = None if name in METHODS else _read_spelling(text.strip())
    if spelled is not None:
        method, written = spelled
    else:
        method = find_method(name)
    options = {**method.defaults, **_read_options(method, written)}
    return ChosenMethod(text.strip(), method, options)


def _read_spelling(text: str) -> tuple[Method, str] | None:
    """A method and its parameters out of the spelling of its own authors."""
    for method in METHODS.values():
        if method.spelled and text.startswith(f"{method.name}-"):
            found = load_named(method.spelled)(text)
            if found is not None:
                return method, ",".join(f"{key}={value}" for key, value in found.items())
    return None


def find_method(name: str) -> Method:
    """The method of this name.

    Raises:
        UsageError: There is none.
    """
    method = METHODS.get(name.strip().casefold())
    if method is None:
        close = get_close_matches(name.casefold(), METHODS, n=1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(
            f"there is no method {name!r}", hint=f"{meant}'vidcli methods' lists them all"
        )
    return method


def _read_options(method: Method, written: str) -> dict[str, int | str]:
    known = {option.key: option for option in method.options}
    found: dict[str, int | str] = {}
    for entry in filter(None, written.split(",")):
        key, equals, value = (part.strip() for part in entry.partition("="))
        if key not in known or not equals:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise UsageError(
                f"the method {method.name} has no parameter {entry!r}",
                hint=f"{has}; 'vidcli methods {method.name}' explains",
            )
        try:
            found[key] = known[key].read(value)
        except ValueError as error:
            raise UsageError(
                f"--method {method.name}: {key}={value} {error}",
                hint=f"'vidcli methods {method.name}' explains its parameters",
            ) from error
    return found
