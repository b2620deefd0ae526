"""What a sandboxed call may spend, and what it did spend."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The caps of one call.

    ``wall_seconds`` is the time its caller spends waiting for it, so that a caller who works
    on each item between two of them does not eat the child's time. ``memory_bytes`` is the
    child's private data; what the preloaded modules allocated counts, and see ``memory`` for how it holds.
    ``file_bytes`` caps each file at once and everything the child keeps in its folders
    together, the latter sampled. ``output_bytes`` is the JSON that comes back.
    """

    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    file_bytes: int
    output_bytes: int
    step_cpu_seconds: float | None = None
    """CPU per yielded item (a page); None: no such limit."""


@dataclass(frozen=True)
class Usage:
    """What calls have cost. The peak is the largest resident size of any one child."""

    calls: int = 0
    child_cpu_seconds: float = 0.0
    waited_seconds: float = 0.0
    output_bytes: int = 0
    peak_rss_bytes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            child_cpu_seconds=self.child_cpu_seconds + other.child_cpu_seconds,
            waited_seconds=self.waited_seconds + other.waited_seconds,
            output_bytes=self.output_bytes + other.output_bytes,
            peak_rss_bytes=max(self.peak_rss_bytes, other.peak_rss_bytes),
        )
