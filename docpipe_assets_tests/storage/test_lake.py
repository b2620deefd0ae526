"""Artifacts: complete or absent, readable in place, and never written twice from the same inputs."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import zstandard

from docpipe_assets.errors import ArtifactDamaged, ArtifactMissing, StoreUnavailable, TransferCut
from docpipe_assets.model import Blob, Chunk, Chunks, Mentions, PageProse, PageTexts
from docpipe_assets.protocols import StoredObject
from docpipe_assets.storage.artifact import artifact_key
from docpipe_assets.storage.file import FileStore
from docpipe_assets.storage.lake import Lake
from docpipe_assets.storage.memory import MemoryStore
from docpipe_assets.storage.scratch import ScratchFolder
from docpipe_assets_tests.stages.productions import page_texts

DOCUMENT = "batch/O'Néill, exhibit #4 (100% final).pdf"


def chunk(number: int) -> Chunk:
    return Chunk(
        document=DOCUMENT, version="v", chunk=number, start=0, end=3, text="h\néé", tokens=1, pages=()
    )


def stream(fingerprint: str, rows: int = 3) -> Chunks:
    return Chunks(fingerprint, lambda: (chunk(number) for number in range(rows)))


class TruncatedStore(MemoryStore):
    """Keeps only the first bytes of an upload, like a server that accepts a truncated transfer."""

    def __init__(self, kept_bytes: int) -> None:
        super().__init__()
        self._kept_bytes = kept_bytes

    def put(self, key: str, source: Path) -> StoredObject:
        cut = source.with_suffix(".cut")
        cut.write_bytes(source.read_bytes()[: self._kept_bytes])
        return super().put(key, cut)


class RejectsWrites(MemoryStore):
    """Fails when it is written to."""

    is_broken = False

    def put(self, key: str, source: Path) -> StoredObject:
        if self.is_broken:
            raise StoreUnavailable(f"{key}: refused")
        return super().put(key, source)


@pytest.fixture
def lake(scratch: ScratchFolder) -> Lake:
    return Lake(MemoryStore(), scratch)


def test_rows_are_loaded_as_they_were_saved(lake: Lake) -> None:
    saved = lake.save(DOCUMENT, stream("a", rows=1000))
    loaded = lake.load(Chunks, DOCUMENT)
    assert list(loaded) == list(stream("a", rows=1000))
    assert list(loaded) == list(stream("a", rows=1000)), "a stream can be read again"
    assert loaded.fingerprint == "a"
    assert (saved.header.rows, saved.header.version, saved.is_unchanged) == (1000, "v", False)


def test_an_empty_stream_is_an_artifact(lake: Lake) -> None:
    lake.save(DOCUMENT, stream("a", rows=0))
    assert list(lake.load(Chunks, DOCUMENT)) == []


def test_the_same_fingerprint_is_not_written_again(lake: Lake) -> None:
    def never() -> Iterator[Chunk]:
        raise AssertionError("an unchanged stream was read")
        yield

    lake.save(DOCUMENT, stream("a"))
    saved = lake.save(DOCUMENT, Chunks("a", never))
    assert saved.is_unchanged
    assert saved.header.rows == 3


def test_another_fingerprint_replaces_the_artifact(lake: Lake) -> None:
    lake.save(DOCUMENT, stream("a"))
    assert not lake.save(DOCUMENT, stream("b", rows=5)).is_unchanged
    assert len(list(lake.load(Chunks, DOCUMENT))) == 5


def test_a_stage_that_fails_half_way_leaves_the_old_artifact(lake: Lake) -> None:
    def breaks() -> Iterator[Chunk]:
        yield chunk(0)
        raise RuntimeError("half way")

    lake.save(DOCUMENT, stream("a"))
    with pytest.raises(RuntimeError, match="half way"):
        lake.save(DOCUMENT, Chunks("b", breaks))
    assert lake.load(Chunks, DOCUMENT).fingerprint == "a"
    assert len(list(lake.load(Chunks, DOCUMENT))) == 3


def test_a_failed_write_leaves_the_old_artifact(scratch: ScratchFolder) -> None:
    store = RejectsWrites()
    lake = Lake(store, scratch)
    lake.save(DOCUMENT, stream("a"))
    store.is_broken = True
    with pytest.raises(StoreUnavailable):
        lake.save(DOCUMENT, stream("b"))
    assert len(list(lake.load(Chunks, DOCUMENT))) == 3


def test_an_artifact_never_written_is_missing_with_advice(lake: Lake) -> None:
    with pytest.raises(ArtifactMissing, match="materialize mentions first"):
        lake.load(Mentions, DOCUMENT)


@pytest.mark.parametrize("kept_bytes", [0, 4, 20, 300, 400])
def test_a_truncated_artifact_is_damaged_never_short(scratch: ScratchFolder, kept_bytes: int) -> None:
    lake = Lake(TruncatedStore(kept_bytes), scratch)
    lake.save(DOCUMENT, stream("a", rows=2000))
    with pytest.raises(ArtifactDamaged, match="again"):
        list(lake.load(Chunks, DOCUMENT))


def test_a_small_artifact_is_unaffected_by_changes_after_loading(lake: Lake) -> None:
    lake.save(DOCUMENT, stream("a", rows=3))
    loaded = lake.load(Chunks, DOCUMENT)
    lake.save(DOCUMENT, stream("b", rows=5))
    assert len(list(loaded)) == 3


def test_a_large_artifact_replaced_while_it_is_read_is_detected(lake: Lake) -> None:
    lake.save(DOCUMENT, stream("a", rows=400_000))
    loaded = lake.load(Chunks, DOCUMENT)
    lake.save(DOCUMENT, stream("b"))
    with pytest.raises(ArtifactDamaged, match="replaced"):
        list(loaded)


def test_duckdb_and_zstd_read_an_artifact_in_place(tmp_path: Path, scratch: ScratchFolder) -> None:
    root = tmp_path / "lake"
    root.mkdir()
    lake = Lake(FileStore(root), scratch)
    lake.save(DOCUMENT, stream("a", rows=1000))
    found = duckdb.sql(f"SELECT count(*), max(chunk), min(document) FROM '{root}/chunks/**/*.jsonl.zst'")
    assert found is not None
    assert found.fetchall() == [(1000, 999, DOCUMENT)]
    path = next(root.rglob("*.zst"))
    with path.open("rb") as source:
        reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
        assert json.loads(reader.read().splitlines()[0])["chunk"] == 0


def test_the_key_of_an_artifact_is_readable() -> None:
    assert artifact_key("chunks", "acuity/WOMBAT 000454.pdf") == "chunks/acuity/WOMBAT 000454.pdf.jsonl.zst"
    assert artifact_key("chunks", "a/../b.pdf") == "chunks/a/%2E%2E/b.pdf.jsonl.zst"


def test_memory_does_not_grow_with_the_number_of_rows(lake: Lake) -> None:
    import tracemalloc

    def peak(rows: int) -> int:
        tracemalloc.start()
        saved = lake.save(DOCUMENT, stream(f"{rows}", rows))
        assert saved.header.rows == rows
        for _ in lake.load(Chunks, DOCUMENT):
            pass
        measured = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return measured

    few = peak(1_000)
    assert peak(50_000) < few + 2_000_000


@pytest.mark.parametrize("pages", [3, 4_000], ids=["kept in memory", "read from the store"])
def test_pages_can_be_viewed_without_their_words(lake: Lake, pages: int) -> None:
    made = page_texts(*(hashlib.sha512(b"%d" % page).hexdigest() for page in range(pages)))
    assert (lake.save(DOCUMENT, made).header.payload_bytes > 256 * 1024) == (pages > 3)
    for stream in (lake.load(PageTexts, DOCUMENT), made):
        seen = stream.view_as(PageProse)
        assert [(page.page, page.text) for page in seen] == [(page.page, page.text) for page in made]
        assert len(list(seen)) == pages, "the view can be iterated again"
    assert not any(hasattr(page, "words") for page in lake.load(PageTexts, DOCUMENT).view_as(PageProse))


def test_parts_are_verified_when_fetched(tmp_path: Path, scratch: ScratchFolder) -> None:
    lake = Lake(MemoryStore(), scratch)
    source = tmp_path / "part.pdf"
    source.write_bytes(b"%PDF-1.7 part")
    parts = lake.parts("page_splits", DOCUMENT)
    blob = parts.keep("000001.pdf", source)
    with parts.fetch(blob) as path:
        assert path.read_bytes() == b"%PDF-1.7 part"
    assert not path.exists(), "the file is deleted at the end of the block"
    with pytest.raises(TransferCut), parts.fetch(blob.model_copy(update={"size_bytes": 99})):
        pass
    with pytest.raises(ArtifactDamaged), parts.fetch(blob.model_copy(update={"sha256": "0" * 64})):
        pass
    with pytest.raises(ArtifactMissing), parts.fetch(Blob(key="gone", size_bytes=1, sha256="")):
        pass


def test_parts_of_an_older_version_are_discarded(tmp_path: Path, scratch: ScratchFolder) -> None:
    store = MemoryStore()
    lake = Lake(store, scratch)
    source = tmp_path / "part.pdf"
    source.write_bytes(b"old")
    lake.parts("page_splits", DOCUMENT).keep("000001.pdf", source)
    source.write_bytes(b"new")
    parts = lake.parts("page_splits", DOCUMENT)
    kept = parts.keep("000001.pdf", source)
    assert parts.discard_others() == 1
    assert [found.key for found in store.list()] == [kept.key]


def test_a_document_named_like_the_folder_of_anothers_parts_loses_nothing(
    tmp_path: Path, scratch: ScratchFolder
) -> None:
    store = MemoryStore()
    lake = Lake(store, scratch)
    odd = f"{DOCUMENT}.parts/000001.pdf"
    source = tmp_path / "part.pdf"
    source.write_bytes(b"odd")
    lake.save(odd, stream("a"))
    lake.parts("chunks", odd).keep("000001.pdf", source)
    source.write_bytes(b"own")
    lake.parts("chunks", DOCUMENT).keep("000001.pdf", source)
    assert len(list(store.list())) == 3
    assert lake.parts("chunks", DOCUMENT).discard_others() == 1
    assert len(list(store.list())) == 2
    assert len(list(lake.load(Chunks, odd))) == 3


def test_scratch_folders_of_dead_processes_are_removed(tmp_path: Path) -> None:
    scratch = ScratchFolder(tmp_path)
    (tmp_path / "999999999-left").mkdir()
    with scratch.folder() as mine:
        assert scratch.sweep() == 1
        assert mine.exists()
    assert not mine.exists()
