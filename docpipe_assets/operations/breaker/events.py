"""What breakers are folded from: attempts that ended, and resets."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a document that has ended."""

    key: str
    """Partition key."""
    run_id: str
    ended_at: datetime
    error: str | None
    """Full code; None when all went well."""
    stage: str | None = None
    """The asset that failed, where known."""
    version: str | None = None
    """Of the document; None when a person launched the run and it did not say."""
    code_version: str | None = None
    """Of the stage that failed, with all that it depends on; None when the run did not say."""
    lane: str | None = None
    is_automatic: bool = True
    """False when a person launched it."""
    started_at: datetime | None = None
    """None when it never started."""
    canary: str | None = None
    """The canary that it was launched as."""

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
    """Somebody says that an obstacle is gone: for a document, or for a stage.

    ``family`` narrows a stage's reset to one kind of failure.
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
