"""The results of the stages for a litigation file are known: they change only with the version of a stage."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest

from docpipe_assets.engines.ner.patterns import PatternNer
from docpipe_assets.model import EntityType, FoundName, Records
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.protocols import NameContext, NerEngine
from docpipe_assets.stages import (
    chunks_to_mentions,
    entities_to_relationships,
    mentions_to_entities,
    text_to_chunks,
)
from docpipe_assets_tests.benchmarks.litigation import litigation_file

S = TypeVar("S", bound=Records[Any])

PAGES = 150
KNOWN = {
    "chunks": ("3", "f06c216e5264a857"),
    "mentions": ("2", "f26c3cc05500109a"),
    "canonical_entities": ("2", "07bf910cfa57ccac"),
    "relationships": ("2", "98afa4ee5da4bc1c"),
}
"""By stage, its version and the digest of its rows; a deliberate change of rows requires a new version."""


class FindsNamesByForm:
    """Finds names by their form in the file, without anything that depends on the machine."""

    name, version = "by_form", "1"
    _NAME = re.compile(
        r"(?P<person>(?:(?:Mr|Ms|Dr)\. [A-Z][a-z]+)|[A-Z][a-z]+ [A-Z]\. [A-Z][a-z]+|[A-Z]+ [A-Z]\. [A-Z]{3,})"
        r"|(?P<organisation>[A-Z][a-z]+ (?:Logistics|Cold Storage|Fleet Services|Foods)(?:, LLC|, Inc\.)?"
        r"|[A-Z]+ (?:LOGISTICS|COLD STORAGE), LLC)|(?P<place>[A-Z][a-z]+, (?:Washington|Oregon))"
    )

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        for match in self._NAME.finditer(text):
            assert match.lastgroup is not None
            known = sum(word in context.lowercase_words for word in match.group().lower().split())
            yield FoundName(*match.span(), EntityType(match.lastgroup), 0.9 - known / 10, self.name)


@pytest.fixture(scope="module")
def streams() -> dict[str, Records[Any]]:
    pages = _kept(litigation_file(PAGES))
    chunks = _kept(text_to_chunks.text_to_chunks(pages))
    engines: list[NerEngine] = [PatternNer(), FindsNamesByForm()]
    mentions = _kept(chunks_to_mentions.chunks_to_mentions(chunks, pages, engines=engines))
    entities = _kept(mentions_to_entities.mentions_to_entities(mentions))
    edges = _kept(entities_to_relationships.entities_to_relationships(entities, mentions, chunks, pages))
    return {stream.asset: stream for stream in (chunks, mentions, entities, edges)}


def _kept(stream: S) -> S:
    rows = list(stream)
    return type(stream)(stream.fingerprint, lambda: iter(rows))


@pytest.mark.parametrize("stage", KNOWN)
def test_the_same_version_produces_the_same_rows(streams: dict[str, Records[Any]], stage: str) -> None:
    digest = hashlib.sha256()
    for row in streams[stage]:
        digest.update(row.model_dump_json().encode() + b"\n")
    assert (PIPELINE[stage].version, digest.hexdigest()[:16]) == KNOWN[stage]
