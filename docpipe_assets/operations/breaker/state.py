"""The state of all breakers: a pure fold over attempts and resets.

The result does not depend on how the events are batched, nor on events that arrive twice or up to
``breaker_lateness_seconds`` late: the latest events are kept and folded again in the order of their times.
Older events are sealed. An event older than that is treated as already folded; if one may be missing, fold
again from the beginning.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from docpipe_assets.identity import digest
from docpipe_assets.operations.breaker.document import BreakerStatus, DocumentBreaker, after_attempt
from docpipe_assets.operations.breaker.events import Attempt, Event, Reset
from docpipe_assets.operations.breaker.stage import Outcome, StageBreaker, StageBreakers, StageKey
from docpipe_assets.pipeline import PIPELINE, Pipeline
from docpipe_assets.settings import Settings

_FORMAT = 2
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Sealed:
    documents: Mapping[str, DocumentBreaker] = field(default_factory=dict)
    stages: tuple[StageBreaker, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    until: datetime = _EARLIEST


@dataclass(frozen=True, slots=True)
class Breakers:
    """``documents`` contains the breakers of documents whose latest attempt has not succeeded, by partition
    key.
    """

    documents: Mapping[str, DocumentBreaker] = field(default_factory=dict)
    stages: Mapping[StageKey, StageBreaker] = field(default_factory=dict)
    graph: Pipeline = field(default=PIPELINE, repr=False)
    _sealed: _Sealed = field(default_factory=_Sealed, repr=False)
    _recent: tuple[Event, ...] = field(default=(), repr=False)

    @property
    def open_stages(self) -> list[StageBreaker]:
        """In the order of the asset graph."""
        is_open = (one for one in self.stages.values() if one.is_open)
        return sorted(is_open, key=lambda one: self.graph.position(one.stage))

    def as_json(self, settings: Settings) -> str:
        """Serialize for Dagster's storage. Derived from events, so it may be lost."""
        sealed = self._sealed
        content = {
            "format": _FORMAT,
            "settings": _digest_of(settings),
            "until": _plain(sealed.until),
            "documents": [_row(one) for _, one in sorted(sealed.documents.items())],
            "stages": [_row(one) for one in sealed.stages],
            "outcomes": [[_plain(part) for part in outcome] for outcome in sealed.outcomes],
            "attempts": [_row(event) for event in self._recent if isinstance(event, Attempt)],
            "resets": [_row(event) for event in self._recent if isinstance(event, Reset)],
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, settings: Settings, graph: Pipeline = PIPELINE) -> Self | None:
        """None if it has another format or was made with other settings: fold from the beginning."""
        content = json.loads(text)
        if (content["format"], content["settings"]) != (_FORMAT, _digest_of(settings)):
            return None
        documents = [_read(DocumentBreaker, row) for row in content["documents"]]
        sealed = _Sealed(
            documents={one.key: one for one in documents},
            stages=tuple(_read(StageBreaker, row) for row in content["stages"]),
            outcomes=tuple(
                Outcome(_time(at), key, failed_in, tuple(failure) if failure else None)
                for at, key, failed_in, failure in content["outcomes"]
            ),
            until=_time(content["until"]),
        )
        recent: list[Event] = [_read(Attempt, row) for row in content["attempts"]]
        recent += [_read(Reset, row) for row in content["resets"]]
        return cls._of(sealed, sorted(recent, key=lambda event: event.order), settings, graph)

    @classmethod
    def _of(cls, sealed: _Sealed, recent: list[Event], settings: Settings, graph: Pipeline) -> Self:
        shown = _apply(sealed, recent, sealed.until, settings, graph) if recent else sealed
        return cls(shown.documents, {one.key: one for one in shown.stages}, graph, sealed, tuple(recent))


def fold(breakers: Breakers, events: Iterable[Event], settings: Settings) -> Breakers:
    """The state after further events."""
    sealed = breakers._sealed
    known: dict[tuple[str, ...], Event] = {event.identity: event for event in breakers._recent}
    has_changed = False
    for event in events:
        if event.at > sealed.until:
            before = known.get(event.identity)
            # Of two records of one run the later one takes precedence, in any order of delivery.
            if before is None or _precedence(event) > _precedence(before):
                known[event.identity] = event
                has_changed = True
    if not has_changed:
        return breakers
    merged = sorted(known.values(), key=lambda event: event.order)
    until = max(sealed.until, merged[-1].at - timedelta(seconds=settings.breaker_lateness_seconds))
    cut = next((at for at, event in enumerate(merged) if event.at > until), len(merged))
    graph = breakers.graph
    return Breakers._of(_apply(sealed, merged[:cut], until, settings, graph), merged[cut:], settings, graph)


def _precedence(event: Event) -> tuple[datetime, str]:
    return event.at, repr(event)


def _apply(
    sealed: _Sealed, events: Iterable[Event], until: datetime, settings: Settings, graph: Pipeline
) -> _Sealed:
    documents = dict(sealed.documents)
    stage_breakers = StageBreakers(sealed.stages, sealed.outcomes, settings, graph)
    for event in events:
        if isinstance(event, Attempt):
            stage_breakers.add_attempt(event)
            is_outage = stage_breakers.is_known_outage(event)
            after = after_attempt(documents.get(event.key), event, settings, is_outage=is_outage)
            if after is None:
                documents.pop(event.key, None)
            else:
                documents[event.key] = after
        else:
            stage_breakers.add_reset(event)
            if event.key is not None and event.key in documents:
                documents[event.key] = documents[event.key].after_reset(event)
    stages = tuple(stage_breakers.breakers[key] for key in sorted(stage_breakers.breakers))
    return _Sealed(documents, stages, stage_breakers.outcomes, until)


def _digest_of(settings: Settings) -> str:
    chosen = settings.model_dump(include={name for name in type(settings).model_fields if "breaker" in name})
    return digest([chosen, settings.retry_seconds, settings.retry_max_seconds])[:12]


_TIMES = {"at", "since", "failed_at", "next_at", "ended_at", "started_at", "next_canary_at"}


def _row(record: Any) -> list[Any]:
    """The values of a record in field order, without trailing None values."""
    values = [_plain(getattr(record, one.name)) for one in fields(record)]
    while values and values[-1] is None:
        values.pop()
    return values


def _read(kind: Any, row: list[Any]) -> Any:
    names = [one.name for one in fields(kind)]
    values: dict[str, Any] = dict.fromkeys(names) | dict(zip(names, row, strict=False))
    for name in _TIMES & values.keys():
        values[name] = None if values[name] is None else _time(values[name])
    if kind is DocumentBreaker:
        values["status"] = BreakerStatus(values["status"])
    return kind(**values)


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
