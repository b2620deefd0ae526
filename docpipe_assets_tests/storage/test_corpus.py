"""A corpus artifact is the same after any sequence of updates, wherever they were interrupted."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.errors import ArtifactDamaged
from docpipe_assets.model.corpus import CorpusRecord, CorpusRecords
from docpipe_assets.protocols import StoredObject
from docpipe_assets.storage.corpus import Corpus
from docpipe_assets.storage.file import FileStore
from docpipe_assets.storage.memory import MemoryStore
from docpipe_assets.storage.scratch import ScratchFolder

ROWS_PER_SHARD = 4
CODE = "1"


class Fact(CorpusRecord):
    pages: int


class Facts(CorpusRecords[Fact]):
    asset = "facts"
    record = Fact


Change = tuple[str, Fact | None]


class Killed(BaseException):
    """Ends an update as SIGKILL would: nothing that it could do afterwards happens."""


class KilledAfter(MemoryStore):
    """Ends the update after a number of writes and deletions."""

    def __init__(self) -> None:
        super().__init__()
        self.remaining: int | None = None

    def put(self, key: str, source: Path) -> StoredObject:
        self._count()
        return super().put(key, source)

    def delete(self, key: str) -> None:
        self._count()
        super().delete(key)

    def _count(self) -> None:
        if self.remaining == 0:
            raise Killed
        if self.remaining is not None:
            self.remaining -= 1


class CountsReads(MemoryStore):
    """Records which objects are opened and written."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.written: list[str] = []

    def open(self, key: str, etag: str | None = None):  # type: ignore[no-untyped-def]  # as the memory store
        self.opened.append(key)
        return super().open(key, etag)

    def put(self, key: str, source: Path) -> StoredObject:
        self.written.append(key)
        return super().put(key, source)


def fact(document: str, pages: int = 1) -> Fact:
    return Fact(document=document, version="v", made_from="f", pages=pages)


def corpus_of(store: MemoryStore | FileStore, scratch: ScratchFolder) -> Corpus[Fact]:
    return Corpus(store, scratch, Facts, ROWS_PER_SHARD)


def apply(corpus: Corpus[Fact], changes: list[Change], cursor: str) -> None:
    is_rebuild = corpus.cursor(CODE) is None
    corpus.update(changes, cursor=cursor, code_version=CODE, is_rebuild=is_rebuild)


def content(store: MemoryStore) -> dict[str, bytes]:
    found = {}
    for one in store.list():
        with store.open(one.key) as source:
            found[one.key] = source.read()
    return found


documents = st.builds("{}{}.pdf".format, st.sampled_from(["a/", "b/", ""]), st.integers(0, 19))
changes = st.lists(
    st.builds(
        lambda document, pages: (document, fact(document, pages) if pages else None),
        documents,
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(st.lists(changes, min_size=1, max_size=4), st.data())
def test_an_interrupted_update_ends_with_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, updates: list[list[Change]], data: st.DataObject
) -> None:
    scratch = ScratchFolder(tmp_path_factory.mktemp("scratch"))
    store, undisturbed = KilledAfter(), MemoryStore()
    corpus = corpus_of(store, scratch)
    rows: dict[str, Fact | None] = {}
    for number, update in enumerate(updates):
        for _ in range(data.draw(st.integers(0, 2))):
            store.remaining = data.draw(st.integers(0, 8))
            try:
                apply(corpus, update, str(number))
            except Killed:
                assert {row.document for row in corpus.rows()} <= rows.keys() | dict(update).keys()
        store.remaining = None
        apply(corpus, update, str(number))
        rows |= dict(update)
    present = {document: row for document, row in rows.items() if row is not None}
    assert {row.document: row for row in corpus.rows()} == present
    apply(corpus_of(undisturbed, scratch), list(present.items()), str(len(updates) - 1))
    assert content(store) == content(undisturbed), "a rebuild from nothing gives the same bytes"


def test_an_update_reads_and_writes_only_the_shards_that_change(scratch: ScratchFolder) -> None:
    store = CountsReads()
    corpus = corpus_of(store, scratch)
    apply(corpus, [(f"{batch}/{n}.pdf", fact(f"{batch}/{n}.pdf")) for batch in "ab" for n in range(20)], "1")
    store.opened.clear()
    store.written.clear()
    apply(corpus, [("a/7.pdf", fact("a/7.pdf", pages=9))], "2")
    changed = [key for key in store.written if not key.endswith(",manifest.json")]
    assert len(changed) == 1
    assert all(key.startswith("facts/a/") for key in changed)
    assert not [key for key in store.opened if key.startswith("facts/b/")]
    store.written.clear()
    apply(corpus, [("a/7.pdf", fact("a/7.pdf", pages=9))], "3")
    assert store.written == ["facts/,manifest.json"], "equal rows are not written again"


def test_other_code_makes_a_rebuild_that_removes_what_is_left(scratch: ScratchFolder) -> None:
    store = MemoryStore()
    corpus = corpus_of(store, scratch)
    apply(corpus, [("a/1.pdf", fact("a/1.pdf")), ("b/1.pdf", fact("b/1.pdf"))], "1")
    assert corpus.cursor(CODE) == "1"
    assert corpus.cursor("2") is None
    corpus.update([("a/1.pdf", fact("a/1.pdf"))], cursor="2", code_version="2", is_rebuild=True)
    assert [row.document for row in corpus.rows()] == ["a/1.pdf"]
    assert not [key for key in content(store) if key.startswith("facts/b/")]


def test_rows_of_one_batch_are_sorted_by_document(scratch: ScratchFolder) -> None:
    corpus = corpus_of(MemoryStore(), scratch)
    names = [f"a/{number}.pdf" for number in range(30)]
    apply(corpus, [*((name, fact(name)) for name in names), ("b/1.pdf", fact("b/1.pdf"))], "1")
    assert [row.document for row in corpus.rows("a")] == sorted(names)
    assert list(corpus.rows("no such batch")) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"batches": {"a": {}}}', b"\xff"])
def test_a_damaged_manifest_is_a_typed_error(scratch: ScratchFolder, tmp_path: Path, content: bytes) -> None:
    store = MemoryStore()
    (tmp_path / "manifest").write_bytes(content)
    store.put("facts/,manifest.json", tmp_path / "manifest")
    with pytest.raises(ArtifactDamaged, match="materialize facts"):
        corpus_of(store, scratch).manifest()


def test_a_missing_shard_is_a_typed_error(scratch: ScratchFolder) -> None:
    store = MemoryStore()
    corpus = corpus_of(store, scratch)
    apply(corpus, [("a/1.pdf", fact("a/1.pdf"))], "1")
    store.delete("facts/a/0-of-1.jsonl.zst")
    with pytest.raises(ArtifactDamaged, match="materialize facts"):
        list(corpus.rows())


def test_memory_does_not_grow_with_the_number_of_documents(scratch: ScratchFolder, tmp_path: Path) -> None:
    def peak_bytes(count: int) -> int:
        corpus = Corpus(FileStore(tmp_path / str(count)), scratch, Facts)

        def made() -> Iterator[Change]:
            for number in range(count):
                yield f"a/{number}.pdf", fact(f"a/{number}.pdf")

        tracemalloc.start()
        corpus.update(made(), cursor="1", code_version=CODE, is_rebuild=True)
        assert sum(1 for _ in corpus.rows()) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few, many = peak_bytes(500), peak_bytes(8_000)
    assert many < few * 1.5, (few, many)
