"""Time limits of the parts of a benchmark, and the list of what no time was left for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Budget"]


@dataclass
class Budget:
    """The time of one part. A case that would not fit in what is left is not run, but named in ``left_out``.

    Attributes:
        seconds: Time of the part.
        clock: Returns seconds; another clock serves tests.
        left_out: What was not measured and why, in words.
        failures: Those of them where the library failed.
    """

    seconds: float
    clock: Callable[[], float] = time.perf_counter
    left_out: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left; negative when the part took too long."""
        return self._end - self.clock()

    def allows(self, what: str, seconds: float = 0.0) -> bool:
        """Whether a case of about so many seconds fits; if it doesn't, it is added to ``left_out``."""
        left = self.left
        if left > 0 and seconds <= left:
            return True
        self.leave_out(what, f"needs about {seconds:.1f} s, {max(left, 0):.1f} s were left")
        return False

    def leave_out(self, what: str, why: str) -> None:
        """Add a case to ``left_out``."""
        self.left_out.append(f"{what}: {why}")

    def fail(self, what: str, error: BaseException) -> None:
        """Add a case that the library could not do."""
        self.leave_out(what, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        self.failures.append(self.left_out[-1])
