"""The events that breakers are folded from: ended attempts and resets."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One ended run of a document."""

    key: str
    """Partition key."""
    run_id: str
    ended_at: datetime
    error: str | None
    """Full code; None if the run succeeded."""
    stage: str | None = None
    """The asset that failed, if known."""
    version: str | None = None
    """Version of the document; None if a person launched the run and it was not recorded."""
    code_version: str | None = None
    """Code version of the failed stage with everything it depends on; None if it was not recorded."""
    lane: str | None = None
    is_automatic: bool = True
    """False if a person launched the run."""
    started_at: datetime | None = None
    """None if the run never started."""
    canary: str | None = None
    """Name of the canary that the run was launched as."""

    @property
    def at(self) -> datetime:
        return self.ended_at

    @property
    def order(self) -> tuple[datetime, int, str]:
        return self.ended_at, 0, self.run_id

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.run_id,)


@dataclass(frozen=True, slots=True)
class Reset:
    """A person states that the cause of failures is fixed, for a document or for a stage.

    ``family`` limits a reset of a stage to one kind of failure.
    """

    at: datetime
    reason: str
    by: str | None = None
    key: str | None = None
    stage: str | None = None
    family: str | None = None

    @property
    def order(self) -> tuple[datetime, int, str]:
        return self.at, 1, "\n".join(self.identity)

    @property
    def identity(self) -> tuple[str, ...]:
        subject = (self.key, self.stage, self.family, self.by)
        return (self.at.isoformat(), *(part or "" for part in subject), self.reason)


Event = Attempt | Reset
