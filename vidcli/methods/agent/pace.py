"""How long an agent may go on: rounds and seconds."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Bounds of one run.

    Args:
        rounds: Most rounds, at least 1.
        seconds: After which nothing new is begun; None for no bound. What has begun is finished,
            and the answer is still written.
    """

    rounds: int
    seconds: float | None = None
    _started: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.seconds is not None and time.monotonic() - self._started >= self.seconds
