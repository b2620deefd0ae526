"""Processes local files with the same stages and lake as Dagster, without Dagster."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe_assets.errors import ConfigurationError, DocpipeError
from docpipe_assets.lanes import LANES
from docpipe_assets.model import CanonicalEntities, Mentions, PageTexts, RawPdfs, Relationships
from docpipe_assets.operations.ledger import State
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.meter import Meter
from docpipe_assets.runtime.summaries import FAILED_PAGES
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets.storage.lake import Saved


@dataclass(frozen=True)
class Outcome:
    """The result of one file."""

    file: str
    state: State
    pages: int
    characters: int
    mentions: int
    entities: int
    relationships: int
    error: DocpipeError | None
    cpu_seconds: float
    wall_seconds: float
    peak_rss_bytes: int

    def as_json(self) -> dict[str, Any]:
        error = None
        if self.error is not None:
            error = {"code": self.error.full_code, "message": self.error.message}
        return {
            "file": self.file,
            "state": self.state.value,
            "pages": self.pages,
            "characters": self.characters,
            "mentions": self.mentions,
            "entities": self.entities,
            "relationships": self.relationships,
            "error": error,
            "cpu_seconds": round(self.cpu_seconds, 3),
            "wall_seconds": round(self.wall_seconds, 3),
            "peak_rss_bytes": self.peak_rss_bytes,
        }


def named_documents(paths: Iterable[Path]) -> dict[str, Path]:
    """The document name of each file: its path below the deepest folder that all files share.

    A folder stands for its PDFs. Raises ConfigurationError if there is no file to process.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() == ".pdf")
        elif path.exists():
            files.append(path)
        else:
            raise ConfigurationError(f"{path}: no such file or folder")
    if not files:
        raise ConfigurationError("no PDF files found; name PDF files, or folders that contain some")
    absolute = {file.absolute(): file for file in files}
    shared = _shared_folder(list(absolute))
    return {_printable(file.relative_to(shared).as_posix()): given for file, given in absolute.items()}


def run_files(documents: Mapping[str, Path], out: Path, settings: Settings) -> Iterator[Outcome]:
    """Process the files one by one. A failure is an outcome, and the next file follows.

    Raises ConfigurationError, which no document causes.
    """
    out.mkdir(parents=True, exist_ok=True)
    local = settings.model_copy(update={"lake_url": out.absolute().as_uri()})
    pipeline = DocumentPipeline(local, intake=LocalFiles(documents))
    try:
        for document, file in documents.items():
            yield _run_file(pipeline, document, file)
    finally:
        pipeline.close()


def _run_file(pipeline: DocumentPipeline, document: str, file: Path) -> Outcome:
    with Meter(pipeline) as meter:
        saved, error = processed(pipeline, document)
    rows = {one.header.asset: one.header.rows for one in saved}
    facts: dict[str, float] = {}
    for one in saved:
        facts |= {f"{one.header.asset}.{name}": value for name, value in one.header.facts.items()}
    pages = facts.get(f"{PageTexts.asset}.pages", facts.get(f"{RawPdfs.asset}.pages", 0))
    return Outcome(
        file=str(file),
        state=_state(error, facts.get(f"{PageTexts.asset}.{FAILED_PAGES}", 0)),
        pages=int(pages),
        characters=int(facts.get(f"{PageTexts.asset}.characters", 0)),
        mentions=rows.get(Mentions.asset, 0),
        entities=rows.get(CanonicalEntities.asset, 0),
        relationships=rows.get(Relationships.asset, 0),
        error=error,
        cpu_seconds=meter.cpu_seconds,
        wall_seconds=meter.wall_seconds,
        peak_rss_bytes=meter.peak_rss_bytes,
    )


def processed(pipeline: DocumentPipeline, document: str) -> tuple[list[Saved], DocpipeError | None]:
    """The artifacts of all stages, or of those before the failed one, and the error if there was one.

    A document that exceeds the standard budget is retried once with the larger one, as intake does.
    """
    for pipeline.lane in LANES:
        saved: list[Saved] = []
        error: DocpipeError | None = None
        try:
            saved.extend(pipeline.process(document))
        except ConfigurationError:
            raise
        except DocpipeError as failure:
            error = failure
        if error is None or error.next_lane is None:
            break
    return saved, error


def _state(error: DocpipeError | None, failed_pages: float) -> State:
    if error is not None:
        return State.QUARANTINED if error.quarantines else State.FAILED
    return State.PARTIAL if failed_pages else State.SUCCEEDED


def _shared_folder(files: list[Path]) -> Path:
    folders = [set(file.parents) for file in files]
    return max(set.intersection(*folders), key=lambda folder: len(folder.parts))


def _printable(name: str) -> str:
    """Escape bytes of a file name that are not valid UTF-8: records and JSON contain text only."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
