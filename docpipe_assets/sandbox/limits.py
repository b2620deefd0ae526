"""The limits of a sandboxed call, and its measured usage."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one call.

    ``wall_seconds`` is the time that its caller waits for it, so that the caller's work between two items
    does not count. ``memory_bytes`` is the child's private data, including that of the preloaded modules; see
    ``memory`` for how it is enforced. ``file_bytes`` limits each file exactly and all files in the child's
    folders together by sampling. ``output_bytes`` is the returned JSON.
    """

    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    file_bytes: int
    output_bytes: int
    step_cpu_seconds: float | None = None
    """CPU seconds per yielded item (a page); None: no such limit."""


@dataclass(frozen=True)
class Usage:
    """The resources that calls have used. The peak is the largest resident size of any one child."""

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
