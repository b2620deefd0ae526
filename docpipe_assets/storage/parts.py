"""Files that belong to an artifact, under names that distinguish their content by its hash."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docpipe_assets.errors import ArtifactDamaged, ArtifactMissing, ObjectGone
from docpipe_assets.model import Blob
from docpipe_assets.protocols import Scratch, Store
from docpipe_assets.storage.artifact import SUFFIX
from docpipe_assets.storage.transfer import sha256_of

CHECKPOINTS = ",checkpoints/"
"""No document path has such a segment (see ``identity.path_of``)."""


class Parts:
    """Files that belong to one artifact, with a hash of the content in their names."""

    def __init__(self, store: Store, scratch: Scratch, prefix: str) -> None:
        self._store = store
        self._scratch = scratch
        self.prefix = prefix
        self.kept: set[str] = set()

    def keep(self, name: str, source: Path, sha256: str | None = None) -> Blob:
        """Store a file under its name and hash; an existing file is not uploaded again."""
        sha256 = sha256 or sha256_of(source)
        stem, dot, suffix = name.rpartition(".")
        key = f"{self.prefix}{stem}-{sha256[:16]}{dot}{suffix}"
        size = source.stat().st_size
        if not self._holds(key, size):
            self._store.put(key, source)
        self.kept.add(key)
        return Blob(key=key, size_bytes=size, sha256=sha256)

    @contextmanager
    def fetch(self, blob: Blob) -> Iterator[Path]:
        """The verified file at a temporary path, which is deleted when the block ends."""
        with self._scratch.folder() as folder:
            path = folder / "part.pdf"
            try:
                sha256 = self._store.fetch(blob.key, path, blob.size_bytes)
            except ObjectGone as error:
                raise ArtifactMissing(
                    f"{self._store.url}/{blob.key}: does not exist; materialize its asset again"
                ) from error
            if sha256 != blob.sha256:
                raise ArtifactDamaged(
                    f"{self._store.url}/{blob.key}: the hash differs from the recorded one; "
                    "materialize its asset again"
                )
            yield path

    def discard_others(self) -> int:
        """Delete the files that were not kept through this object; return their number."""
        stale = [
            found.key
            for found in self._store.list(self.prefix)
            if found.key not in self.kept and self._is_part(found.key)
        ]
        for key in stale:
            self._store.delete(key)
        return len(stale)

    def _is_part(self, key: str) -> bool:
        """False for files of another document whose name starts with that of this folder."""
        name = key.removeprefix(self.prefix)
        return name.startswith(CHECKPOINTS) or ("/" not in name and not name.endswith(SUFFIX))

    def _holds(self, key: str, size_bytes: int) -> bool:
        try:
            return self._store.head(key).size_bytes == size_bytes
        except ObjectGone:
            return False
