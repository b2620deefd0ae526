"""Seven trivial assets in a chain, one run per document: the definitions for the stack tests."""

import os
import time
from pathlib import Path

import dagster as dg

documents = dg.DynamicPartitionsDefinition(name="documents")
NAMES = ("raw_pdf", "page_splits", "ocr_text", "chunks", "mentions", "canonical_entities", "relationships")


def _asset(name: str, upstream: str | None) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=[upstream] if upstream else [], partitions_def=documents)
    def trivial(context: dg.AssetExecutionContext) -> None:
        context.add_output_metadata({"pid": os.getpid()})
        # A document with such a name waits until it is released, or forever.
        if context.partition_key.startswith("waits") and name == "ocr_text":
            gate = Path(os.environ["DAGSTER_HOME"]) / context.partition_key
            gate.with_suffix(".began").write_text(str(os.getpid()))
            while not gate.exists():
                time.sleep(0.05)

    return trivial


assets = [_asset(name, NAMES[place - 1] if place else None) for place, name in enumerate(NAMES)]
one_document = dg.define_asset_job("one_document", assets, executor_def=dg.in_process_executor)
defs = dg.Definitions(assets=assets, jobs=[one_document], executor=dg.in_process_executor)
