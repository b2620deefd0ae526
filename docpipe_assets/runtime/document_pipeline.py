"""The document pipeline: the stages bound to the settings, stores, readers and engines of this process.

Dagster's assets and the command line both use it, so there is one way in which a stage gets its inputs and
one way in which its output is saved.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from docpipe_assets.engines import load_engine
from docpipe_assets.engines.ocr_pool import OcrLimits, OcrPool
from docpipe_assets.engines.pdf.reader import PRELOAD, IsolatedPdfReader
from docpipe_assets.lanes import LARGE, STANDARD
from docpipe_assets.lazy import lazy
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
from docpipe_assets.pipeline import OCR_ENGINE, PDF_READER, PIPELINE, Pipeline
from docpipe_assets.protocols import NerEngine, PdfReader, Source
from docpipe_assets.runtime import budgets
from docpipe_assets.runtime.summaries import HEADER_SUMS, BatesRowSummary
from docpipe_assets.sandbox import Sandbox, Usage
from docpipe_assets.settings import Settings
from docpipe_assets.stages import (
    chunks_to_mentions,
    entities_to_relationships,
    mentions_to_entities,
    object_to_pdf,
    pdf_to_splits,
    splits_to_text,
    text_to_chunks,
)
from docpipe_assets.storage.checkpoints import SplitCheckpoints
from docpipe_assets.storage.lake import Lake, Saved
from docpipe_assets.storage.open_store import open_store
from docpipe_assets.storage.parts import Parts
from docpipe_assets.storage.scratch import ScratchFolder

S = TypeVar("S", bound=Records[Any])


class DocumentPipeline:
    """The stages, bound to the settings, stores and engines of this process.

    Every component is created at first use: an unchanged asset loads no engine. For each asset of the graph
    there is a method of its name, which takes the document and the input streams.
    """

    graph: Pipeline = PIPELINE

    def __init__(self, settings: Settings, intake: Source | None = None) -> None:
        self.settings = settings
        self.lane = STANDARD
        """Lane of the current document; it determines the budget of the sandbox."""
        if intake is not None:
            self.intake = intake
        self.scratch = ScratchFolder(settings.scratch_dir)
        self._open_parts: dict[tuple[str, str], Parts] = {}
        self._checkpoints: dict[str, SplitCheckpoints] = {}

    @lazy
    def intake(self) -> Source:
        if not self.settings.intake_url:  # the default folder replaces a bucket and may not exist yet
            (self.settings.data_dir / "intake").mkdir(parents=True, exist_ok=True)
        return open_store(self.settings.intake, self.settings)

    @lazy
    def lake(self) -> Lake:
        return Lake(open_store(self.settings.lake, self.settings), self.scratch)

    @lazy
    def sandbox(self) -> Sandbox:
        return Sandbox(preload=PRELOAD, scratch=self.settings.scratch_dir)

    @lazy
    def reader(self) -> PdfReader:
        return IsolatedPdfReader(self._run, self.scratch)

    @lazy
    def ocr(self) -> OcrPool:
        return OcrPool(self._ocr_engine, self._ocr_limits())

    @lazy
    def _ocr_engine(self) -> str:
        return budgets.ocr_engine(self.settings)

    @lazy
    def fallback(self) -> OcrPool | None:
        """The second OCR engine, with one process: few pages need it."""
        name = self.settings.ocr_fallback
        return OcrPool(name, replace(self._ocr_limits(), processes=1)) if name else None

    @lazy
    def ner(self) -> Sequence[NerEngine]:
        return [load_engine("ner", name, "find") for name in self.settings.ner_engines]

    def raw_pdf(self, document: str) -> RawPdfs:
        return object_to_pdf.object_to_pdf(
            document,
            intake=self.intake,
            reader=self.reader,
            parts=self._parts(RawPdfs, document),
            scratch=self.scratch,
            max_pages=self.settings.max_pages,
        )

    def page_splits(self, document: str, raw_pdf: RawPdfs) -> PageSplits:
        return pdf_to_splits.pdf_to_splits(
            raw_pdf,
            reader=self.reader,
            source=self.lake.parts(RawPdfs.asset, document),
            parts=self._parts(PageSplits, document),
            pages_per_part=self.settings.pages_per_split,
            bytes_per_part=self.settings.bytes_per_split,
            can_escalate=self._can_escalate,
        )

    def ocr_text(self, document: str, page_splits: PageSplits) -> PageTexts:
        limits = self._ocr_limits()
        self.ocr.limit(limits)
        fallback = None
        if self.fallback is not None:
            self.fallback.limit(replace(limits, processes=1))
            fallback = splits_to_text.Fallback(self.fallback, self.settings.ocr_fallback_below)
        checkpoints = self._checkpoints[document] = self.lake.checkpoints(document)
        return splits_to_text.splits_to_text(
            page_splits,
            reader=self.reader,
            ocr=self.ocr,
            parts=self.lake.parts(PageSplits.asset, document),
            checkpoints=checkpoints,
            dpi=self.settings.ocr_dpi,
            pages_at_once=limits.processes,
            can_escalate=self._can_escalate,
            fallback=fallback,
        )

    def chunks(self, document: str, ocr_text: PageTexts) -> Chunks:
        return text_to_chunks.text_to_chunks(
            ocr_text,
            token_limit=self.settings.chunk_tokens,
            overlap_tokens=self.settings.chunk_overlap_tokens,
        )

    def mentions(self, document: str, chunks: Chunks, ocr_text: PageTexts) -> Mentions:
        return chunks_to_mentions.chunks_to_mentions(chunks, ocr_text, engines=self.ner)

    def canonical_entities(self, document: str, mentions: Mentions) -> CanonicalEntities:
        return mentions_to_entities.mentions_to_entities(mentions, scratch=self.scratch)

    def relationships(
        self,
        document: str,
        canonical_entities: CanonicalEntities,
        mentions: Mentions,
        chunks: Chunks,
        ocr_text: PageTexts,
    ) -> Relationships:
        return entities_to_relationships.entities_to_relationships(
            canonical_entities, mentions, chunks, ocr_text, scratch=self.scratch
        )

    def load(self, stream: type[S], document: str) -> S:
        return self.lake.load(stream, document)

    def save(self, document: str, records: Records[Any], *, is_stale: bool = False) -> Saved:
        """Save a stream, and delete the files of the version that it replaces.

        ``is_stale``: one of its inputs has just been rebuilt.
        """
        row_sums = HEADER_SUMS.get(type(records))
        summary = BatesRowSummary() if isinstance(records, PageTexts) else None
        saved = self.lake.save(document, records, row_sums, summary=summary, is_stale=is_stale)
        parts = self._open_parts.pop((records.asset, document), None)
        if parts is not None and not saved.is_unchanged:
            parts.discard_others()
        if isinstance(records, PageTexts) and (checkpoints := self._checkpoints.pop(document, None)):
            checkpoints.discard()
        return saved

    def process(self, document: str) -> Iterator[Saved]:
        """Run all stages in the order of the asset graph, each with its inputs loaded from the lake."""
        for stage in self.graph:
            make = getattr(self, stage.asset)
            inputs = {stream.asset: self.load(stream, document) for stream in stage.inputs}
            yield self.save(document, make(document, **inputs))

    @lazy
    def code_versions(self) -> Mapping[str, str]:
        """Per stage, a digest of its code, the package, and the libraries and settings that its failures may
        depend on.

        If it changes, a document that failed in the stage is attempted again.
        """
        return self.graph.code_versions(version("docpipe-assets"), self._dependency)

    def _dependency(self, name: str) -> object:
        """The value of a name in ``failure_settings``: a setting, or the reader version or engine of this
        process.
        """
        bound = {PDF_READER: lambda: self.reader.version, OCR_ENGINE: lambda: self._ocr_engine}
        return bound[name]() if name in bound else getattr(self.settings, name)

    def pop_child_usage(self) -> Usage:
        """Resources that sandbox children and OCR processes have used since the last call."""
        taken = Usage()
        if "sandbox" in self.__dict__:
            taken, self.sandbox.usage = self.sandbox.usage, Usage()
        if "ocr" in self.__dict__:
            taken += Usage(child_cpu_seconds=self.ocr.pop_cpu_seconds())
        if fallback := self.__dict__.get("fallback"):
            taken += Usage(child_cpu_seconds=fallback.pop_cpu_seconds())
        return taken

    def close(self) -> None:
        if "ocr" in self.__dict__:
            self.ocr.close()
        if fallback := self.__dict__.get("fallback"):
            fallback.close()
        if "sandbox" in self.__dict__:
            self.sandbox.close()

    @property
    def _can_escalate(self) -> bool:
        """Whether another attempt would get the larger budget; only in that case a page that exceeds the
        budget fails the attempt.
        """
        return self.lane != LARGE

    def _ocr_limits(self) -> OcrLimits:
        return budgets.ocr_limits(self.settings, self.lane, self._ocr_engine)

    def _parts(self, stream: type[Records[Any]], document: str) -> Parts:
        return self._open_parts.setdefault((stream.asset, document), self.lake.parts(stream.asset, document))

    def _run(
        self,
        function: str,
        arguments: Mapping[str, Any],
        folder: Path | None = None,
        *,
        by_page: bool = False,
    ) -> Iterator[Any]:
        """The items that a function yields in a sandboxed child, with the limits of the current lane.

        ``by_page`` also limits the CPU time of each item.
        """
        limits = budgets.sandbox_limits(self.settings, self.lane, by_page=by_page)
        return self.sandbox.stream(function, arguments, limits, folder=folder)
