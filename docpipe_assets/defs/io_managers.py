"""The IO manager: moves typed streams between assets and the lake, record by record."""

from typing import Any

import dagster as dg

from docpipe_assets.identity import document_of
from docpipe_assets.instance.records import tags
from docpipe_assets.instance.records.failures import Step, outlasted, reported
from docpipe_assets.model import RawPdfs, Records
from docpipe_assets.runtime.document_pipeline import Workbench
from docpipe_assets.runtime.meter import Meter
from docpipe_assets.runtime.summaries import FAILED_PAGES
from docpipe_assets.storage.artifact import Header
from docpipe_assets.storage.lake import Saved


class LakeIOManager(dg.IOManager):
    """Asks the asset's type which stream it is; nothing is held in memory but a record."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._raw: dict[str, Header | None] = {}
        """Of this run's document: Dagster makes an IO manager for each run."""
        self._loaded: dict[tuple[type[Records[Any]], str], Records[Any]] = {}
        """Three stages read the text. Read from the lake once, and not what was written to it."""
        self._rebuilt: dict[str, set[str]] = {}
        """Assets of each document that this run has rebuilt: what is made from one of them is stale."""

    def load_input(self, context: dg.InputContext) -> Records[Any]:
        document = document_of(context.partition_key)
        asset = context.asset_key.to_user_string()
        stream: type[Records[Any]] = context.dagster_type.typing_type
        with reported(self._step(context, document, asset)):
            if (stream, document) not in self._loaded:
                self._loaded[stream, document] = self._bench.load(stream, document)
            return self._loaded[stream, document]

    def handle_output(self, context: dg.OutputContext, obj: Records[Any]) -> None:
        document = document_of(context.partition_key)
        step = self._step(context, document, obj.asset)
        rebuilt = self._rebuilt.setdefault(document, set())
        with reported(step):
            with Meter(self._bench) as meter:
                is_stale = self._bench.graph.is_stale(obj.asset, rebuilt)
                saved = self._bench.save(document, obj, is_stale=is_stale)
            self._loaded.pop((type(obj), document), None)
            if not saved.is_unchanged:
                rebuilt.add(obj.asset)
            if obj.asset == RawPdfs.asset:
                self._raw[document] = saved.header
            elif document not in self._raw:
                self._raw[document] = self._bench.lake.header(RawPdfs, document)
            described = _described(document, saved, self._raw[document]) | meter.metadata()
        # What talks to Dagster's storage stands outside: its outages are not the stage's failures.
        context.add_output_metadata(described)
        if failed_pages := saved.header.facts.get(FAILED_PAGES):
            with outlasted(step):
                step.instance.add_run_tags(step.run_id, {tags.FAILED_PAGES: str(int(failed_pages))})
        if saved.is_unchanged:
            context.log.info(f"{obj.asset} of {document}: unchanged")

    def _step(self, context: dg.InputContext | dg.OutputContext, document: str, asset: str) -> Step:
        at_work = context.step_context  # the run that asks, also when another one made the input
        return Step(
            at_work.instance,
            at_work.run_id,
            document,
            asset,
            self._bench.code_versions[asset],
            at_work.previous_attempt_count,
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
        **{name: dg.MetadataValue.json(said) for name, said in header.notes.items()},
    }
