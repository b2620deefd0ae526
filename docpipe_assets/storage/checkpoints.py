"""Finished splits of an unfinished text, one object each."""

from collections.abc import Sequence

from docpipe_assets.errors import ArtifactDamaged, ObjectGone
from docpipe_assets.model import PageText, PageTexts
from docpipe_assets.protocols import Scratch, Store
from docpipe_assets.storage.artifact import SUFFIX, read_header, read_rows, write_artifact


class SplitCheckpoints:
    """The page texts of finished splits, one object per split, until the artifact is complete."""

    def __init__(self, store: Store, scratch: Scratch, document: str, prefix: str) -> None:
        self._store = store
        self._scratch = scratch
        self._document = document
        self._prefix = prefix
        self._is_used = False

    def load(self, made_from: str, first_page: int) -> Sequence[PageText] | None:
        """The pages of a split; None if none are stored, or the object is damaged."""
        key = self._key(made_from, first_page)
        url = f"{self._store.url}/{key}"
        try:
            with self._store.open(key) as source:
                header = read_header(source, url)
                if header.schema_version != PageTexts.schema_version:
                    return None
                pages = list(read_rows(PageTexts.record, source, header, url))
        except (ObjectGone, ArtifactDamaged):
            return None
        self._is_used = True
        return pages

    def save(self, made_from: str, first_page: int, pages: Sequence[PageText]) -> None:
        self._is_used = True
        with self._scratch.folder() as folder:
            _, path = write_artifact(folder, self._document, PageTexts(made_from, lambda: iter(pages)), None)
            self._store.put(self._key(made_from, first_page), path)

    def discard(self) -> None:
        """Delete all checkpoints, including those of earlier code and settings, after the artifact is
        complete.
        """
        if self._is_used:
            for found in list(self._store.list(self._prefix)):
                self._store.delete(found.key)

    def _key(self, made_from: str, first_page: int) -> str:
        return f"{self._prefix}{made_from}/{first_page:06d}{SUFFIX}"
