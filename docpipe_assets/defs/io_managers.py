"""The IO manager: moves typed streams between assets and the lake, record by record."""

from typing import Any

import dagster as dg

from docpipe_assets.identity import document_of
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.failures import Step, as_dagster_failure, retry_on_instance_outage
from docpipe_assets.model import RawPdfs, Records
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.meter import Meter
from docpipe_assets.runtime.summaries import FAILED_PAGES
from docpipe_assets.storage.artifact import Header
from docpipe_assets.storage.lake import Saved


class LakeIOManager(dg.IOManager):
    """The type of the asset determines the stream; at most one record is in memory."""

    def __init__(self, pipeline: DocumentPipeline) -> None:
        self._pipeline = pipeline
        self._raw: dict[str, Header | None] = {}
        """Headers of the pinned document of this run: Dagster creates one IO manager per run."""
        self._loaded: dict[tuple[type[Records[Any]], str], Records[Any]] = {}
        """Loaded streams: three stages read the text. Read from the lake once, and dropped when it is
        rewritten."""
        self._rebuilt: dict[str, set[str]] = {}
        """Assets of each document that this run has rebuilt: what is made from one of them is stale."""

    def load_input(self, context: dg.InputContext) -> Records[Any]:
        document = document_of(context.partition_key)
        asset = context.asset_key.to_user_string()
        stream: type[Records[Any]] = context.dagster_type.typing_type
        with as_dagster_failure(self._step(context, document, asset)):
            if (stream, document) not in self._loaded:
                self._loaded[stream, document] = self._pipeline.load(stream, document)
            return self._loaded[stream, document]

    def handle_output(self, context: dg.OutputContext, obj: Records[Any]) -> None:
        document = document_of(context.partition_key)
        step = self._step(context, document, obj.asset)
        rebuilt = self._rebuilt.setdefault(document, set())
        with as_dagster_failure(step):
            with Meter(self._pipeline) as meter:
                is_stale = self._pipeline.graph.is_stale(obj.asset, rebuilt)
                saved = self._pipeline.save(document, obj, is_stale=is_stale)
            self._loaded.pop((type(obj), document), None)
            if not saved.is_unchanged:
                rebuilt.add(obj.asset)
            if obj.asset == RawPdfs.asset:
                self._raw[document] = saved.header
            elif document not in self._raw:
                self._raw[document] = self._pipeline.lake.header(RawPdfs, document)
            described = _described(document, saved, self._raw[document]) | meter.metadata()
        # Calls of Dagster's storage are outside the block: its outages are not failures of the stage.
        context.add_output_metadata(described)
        if failed_pages := saved.header.facts.get(FAILED_PAGES):
            with retry_on_instance_outage(step):
                step.instance.add_run_tags(step.run_id, {tags.FAILED_PAGES: str(int(failed_pages))})
        if saved.is_unchanged:
            context.log.info(f"{document}: {obj.asset} is unchanged")

    def _step(self, context: dg.InputContext | dg.OutputContext, document: str, asset: str) -> Step:
        step_context = context.step_context  # the current run, even if another run made the input
        return Step(
            step_context.instance,
            step_context.run_id,
            document,
            asset,
            self._pipeline.code_versions[asset],
            step_context.previous_attempt_count,
        )


def _described(document: str, saved: Saved, raw: Header | None) -> dict[str, Any]:
    header = saved.header
    whole = {"version": raw.version, "pages": int(raw.facts["pages"])} if raw else {}
    return {
        "document": document,
        **whole,
        "unchanged": saved.is_unchanged,
        "dagster/row_count": header.rows,
        "bytes": header.payload_bytes,
        "artifact": dg.MetadataValue.url(saved.url),
        "fingerprint": header.fingerprint,
        **{name: int(value) for name, value in header.facts.items()},
        **{name: dg.MetadataValue.json(note) for name, note in header.notes.items()},
    }
