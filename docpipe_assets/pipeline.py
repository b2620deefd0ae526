"""The single definition of the asset graph: the stream, inputs, version and dependencies of each asset.

From it follow the order of local processing, the versions that Dagster and the breakers compare, which
documents are finished, which stages an attempt reached, and what is stale after a rebuild. The functions in
``defs/assets.py`` stay explicit, because people read them in the UI; a test compares them with this graph.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from docpipe_assets.identity import digest
from docpipe_assets.identity import fingerprint as fingerprint_of
from docpipe_assets.model import (
    CanonicalEntities,
    Chunks,
    Mentions,
    PageSplits,
    PageTexts,
    RawPdfs,
    Records,
    Relationships,
)

Stream: TypeAlias = type[Records[Any]]

PDF_READER: Final = "pdf_reader"
OCR_ENGINE: Final = "ocr_engine"
"""Dependencies that are not fields of ``Settings``: the version of the PDF reader, the name of the engine."""

_PDF = (PDF_READER, "sandbox_memory_bytes", "page_cpu_seconds", "split_cpu_seconds")


@dataclass(frozen=True)
class Stage:
    """One asset of a document, and the stage that makes it."""

    stream: Stream
    version: str
    """Of the stage's code. Raise it with every change that makes other rows of the same inputs."""
    inputs: tuple[Stream, ...] = ()
    """In the order in which the fingerprint takes them."""
    fingerprint_keys: frozenset[str] = frozenset()
    """Keys of the values that the fingerprint depends on, besides the inputs: settings and engine versions.
    The stage function chooses them, for example "dpi" for the setting ``ocr_dpi``."""
    failure_settings: tuple[str, ...] = ()
    """Fields of ``Settings``, for example "ocr_dpi", and the two dependencies above, for example
    ``OCR_ENGINE``: a failure of the stage may depend on their values."""

    @property
    def asset(self) -> str:
        return self.stream.asset


class Pipeline:
    """A graph of stages. Raises ValueError for two stages of one asset, a missing input, and a cycle."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self.stages: tuple[Stage, ...] = tuple(_inputs_first(stages))
        """Inputs before what is made from them; otherwise in the order in which they were stated."""
        self._by_asset = {stage.asset: stage for stage in self.stages}
        self._positions = {stage.asset: position for position, stage in enumerate(self.stages)}
        self._upstream: dict[str, frozenset[str]] = {}
        for stage in self.stages:
            above = [self._upstream[one.asset] | {one.asset} for one in stage.inputs]
            self._upstream[stage.asset] = frozenset().union(*above)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def __getitem__(self, asset: str | Stream) -> Stage:
        return self._by_asset[asset if isinstance(asset, str) else asset.asset]

    @property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(stage.stream for stage in self.stages)

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(self._by_asset)

    @property
    def last(self) -> Stage:
        """The stage that local processing ends with."""
        return self.stages[-1]

    def leaves(self, among: Collection[str] | None = None) -> frozenset[str]:
        """The assets that no other one is made from: with all of them a document is finished.

        ``among`` limits the graph to the assets that a run was to make, which an earlier release may have
        launched: a document is not unfinished because a later release has one asset more.
        """
        present = self._by_asset.keys() if among is None else self._by_asset.keys() & among
        return frozenset(asset for asset in present if not self.downstream(asset) & present)

    def is_whole(self, assets: Collection[str]) -> bool:
        """Whether a run that makes these assets brings a document to its end."""
        return self.leaves() <= set(assets)

    def upstream(self, asset: str) -> frozenset[str]:
        """All assets that this one is made from, directly or not."""
        return self._upstream[asset]

    def downstream(self, asset: str) -> frozenset[str]:
        """All assets that are made from this one, directly or not."""
        return frozenset(other for other, above in self._upstream.items() if asset in above)

    def position(self, asset: str) -> int:
        """The position in the order of processing, from 0; -1 for what is not a stage."""
        return self._positions.get(asset, -1)

    def has_passed(self, failed_in: str, asset: str) -> bool:
        """Whether an attempt that failed in one stage had completed another one.

        The pseudo-stage ``run`` counts as passed by every attempt that failed in a stage. A failure on one
        branch of the graph says nothing about the stages of another branch.
        """
        if asset not in self._by_asset:
            return failed_in in self._by_asset
        return failed_in in self._by_asset and asset in self._upstream[failed_in]

    def has_reached(self, failed_in: str, asset: str) -> bool:
        """Whether an attempt that failed in one stage had begun another one, or the same."""
        return asset not in self._by_asset or failed_in == asset or self.has_passed(failed_in, asset)

    def is_stale(self, asset: str, rebuilt: Collection[str]) -> bool:
        """Whether one of the inputs has been rebuilt, so that the artifact need not be looked at."""
        return any(one.asset in rebuilt for one in self[asset].inputs)

    def fingerprint(
        self, stream: Stream, settings: Mapping[str, object], inputs: Sequence[Records[Any] | str]
    ) -> str:
        """The fingerprint of an artifact. ``inputs`` are the stage's input streams, in order.

        The first stage has none; it takes what identifies the object. Raises ValueError for a dependency
        that the stage does not declare.
        """
        stage = self[stream]
        undeclared = settings.keys() - stage.fingerprint_keys
        given = [one for one in inputs if isinstance(one, Records)]
        fits = len(given) == len(stage.inputs) and all(map(isinstance, given, stage.inputs))
        if undeclared or not fits:
            raise ValueError(
                f"{stage.asset}: the fingerprint got {sorted(settings)} and "
                f"{[type(one).__name__ for one in given]}, expected {sorted(stage.fingerprint_keys)} and "
                f"{[one.__name__ for one in stage.inputs]}"
            )
        identities = [one.fingerprint if isinstance(one, Records) else one for one in inputs]
        return fingerprint_of(stage.asset, stage.version, settings, identities)

    def code_versions(self, package: str, value_of: Callable[[str], object]) -> Mapping[str, str]:
        """For each asset a digest of the package version, the stage version, and the libraries and settings
        that can cause its failures.

        If it has changed, a document that failed there is attempted again. Dagster shows ``Stage.version``.
        """
        versions = {}
        for stage in self.stages:
            found = [value_of(name) for name in stage.failure_settings]
            parts = [part for one in found for part in (one if isinstance(one, tuple) else (one,))]
            versions[stage.asset] = digest([package, [stage.version, *parts]])[:12]
        return versions


def _inputs_first(stages: Iterable[Stage]) -> Iterator[Stage]:
    waiting = list(stages)
    names = [stage.asset for stage in waiting]
    if len(set(names)) != len(names):
        raise ValueError(f"two stages make the same asset: {names}")
    made: set[str] = set()
    while waiting:
        ready = next((one for one in waiting if all(given.asset in made for given in one.inputs)), None)
        if ready is None:
            left = ", ".join(one.asset for one in waiting)
            raise ValueError(f"an input is missing, or the stages form a cycle: {left}")
        waiting.remove(ready)
        made.add(ready.asset)
        yield ready


PIPELINE: Final = Pipeline(
    (
        Stage(
            RawPdfs,
            version="1",
            fingerprint_keys=frozenset({"reader"}),
            failure_settings=(*_PDF, "max_pages"),
        ),
        Stage(
            PageSplits,
            version="2",
            inputs=(RawPdfs,),
            fingerprint_keys=frozenset({"pages_per_part", "bytes_per_part", "reader"}),
            failure_settings=_PDF,
        ),
        Stage(
            PageTexts,
            version="5",
            inputs=(PageSplits,),
            fingerprint_keys=frozenset({"dpi", "reader", "ocr", "wordfreq", "languages", "fallback"}),
            failure_settings=(*_PDF, OCR_ENGINE, "ocr_dpi", "ocr_fallback", "ocr_fallback_below"),
        ),
        Stage(
            Chunks,
            version="3",
            inputs=(PageTexts,),
            fingerprint_keys=frozenset({"token_limit", "overlap_tokens"}),
        ),
        Stage(
            Mentions,
            version="2",
            inputs=(Chunks, PageTexts),
            fingerprint_keys=frozenset({"engines"}),
            failure_settings=("ner_engines",),
        ),
        Stage(CanonicalEntities, version="2", inputs=(Mentions,)),
        Stage(
            Relationships,
            version="2",
            inputs=(CanonicalEntities, Mentions, Chunks, PageTexts),
            fingerprint_keys=frozenset({"pair_limit", "decay_characters"}),
        ),
    )
)


@dataclass(frozen=True)
class CorpusStage:
    """One asset over all documents: it has no partitions, and is updated incrementally."""

    asset: str
    version: str
    inputs: tuple[Stream, ...]
    """Document assets: the lineage that the UI shows. A document with a new materialization of one of them is
    updated."""


BATCH_REPORT: Final = CorpusStage("batch_report", version="1", inputs=(RawPdfs, PageTexts))
CORPUS: Final = (BATCH_REPORT,)
