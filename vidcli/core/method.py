"""What a method of watching a video is; which there are: `vidcli.methods.registry`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One parameter of a method, written `METHOD:KEY=VALUE`.

    Attributes:
        key: Its name.
        default: A number or a word.
        help: One sentence.
        choices: All values there are; empty for any. A number is at least `least`.
        least: Smallest number.
    """

    key: str
    default: int | str
    help: str
    choices: tuple[str, ...] = ()
    least: int = 1

    def read(self, text: str) -> int | str:
        """The value that a text means.

        Raises:
            ValueError: It means none; the message ends the sentence "KEY=VALUE …".
        """
        if self.choices and text not in self.choices:
            raise ValueError(f"is none of {', '.join(self.choices)}")
        if isinstance(self.default, str):
            return text
        if not (text.isascii() and text.isdigit()) or int(text) < self.least:
            raise ValueError(f"is no whole number of at least {self.least}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Method:
    """One way to watch a video.

    Attributes:
        name: What `--method` takes.
        idea: One sentence.
        paper: Where it comes from, and its repository where there is one.
        cost: What it takes, in a few words.
        needs: Of the model or the machine, a few words each; empty where any will do.
        options: Its parameters.
        shows: `module:name` of a maker of a `methods.recipe.Recipe`, called with the options.
        runs: `module:name` of a `methods.work.Answerer`, where it does the whole work itself.
        tools: `module:name` of a function of the command line that builds what `runs` is handed as
            `Work.tools`, called with the bench and the opened video; empty for none.
        estimates: `module:name` of a function for `--dry-run`, from `methods.work.Work` to
            `methods.estimate.Estimate`; without one a method that runs cannot say what it takes.
        spelled: `module:name` of a function that reads the authors' own spelling of parameters,
            `NAME-…`, and gives None for what it is not.
        arranges: Whether it makes other tokens of a model's visual tokens, which not every model
            can be given.
        differs: How this one differs from the published one.
    """

    name: str
    idea: str
    paper: str
    cost: str
    needs: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    shows: str = ""
    runs: str = ""
    tools: str = ""
    estimates: str = ""
    spelled: str = ""
    arranges: bool = False
    differs: str = ""

    def __post_init__(self) -> None:
        if bool(self.shows) == bool(self.runs):
            raise ValueError(f"method {self.name} must either show or run")

    @property
    def defaults(self) -> dict[str, int | str]:
        """Its parameters where nothing is said."""
        return {option.key: option.default for option in self.options}
