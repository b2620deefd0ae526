"""Records data that this release writes, for the tests of later releases.

    python -m docpipe_assets_tests.releases.record

Processes a few documents on a small deployment and writes ``releases/<version>/``: the two buckets, the run
records (Dagster's SQLite files), the cursor of the sensor, and the expected results for each document.
"""

import json
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import zstandard
from PIL import Image, ImageDraw, ImageFont

from docpipe_assets.instance.records.history import read_ledger
from docpipe_assets.instance.records.interventions import reset
from docpipe_assets.instance.records.recovery import withdraw
from docpipe_assets.pipeline import PIPELINE
from docpipe_assets.sample import write_text_pdfs
from docpipe_assets_tests.releases.site import BUCKETS, SmallSite, small_site

FOLDER = Path(__file__).parent
BATCH = "release"
CONFIGURATION = """\
telemetry: {enabled: false}
compute_logs: {module: docpipe_assets.instance.dagster_internals, class: NoOpComputeLogManager}
"""
SCANNED = "This page was scanned for Orla Brennan on May 4, 2021."


def write_documents(folder: Path) -> None:
    letter, privileged = write_text_pdfs(folder, 2)
    letter.rename(folder / "letter.pdf")
    privileged.rename(folder / "privileged.pdf")
    page = Image.new("L", (1275, 600), 255)
    ImageDraw.Draw(page).text((120, 200), SCANNED, fill=10, font=ImageFont.load_default(36))
    page.save(folder / "scan.pdf", resolution=150)
    (folder / "empty.pdf").write_bytes(b"")


def process(site: SmallSite) -> str:
    """The cursor after all documents are processed and the decisions of a user are recorded."""
    first = site.tick()
    for request in first.run_requests or []:
        site.run(request)
    withdraw(site.instance, site.pipeline, f"{BATCH}/privileged.pdf", reason="privileged", is_withdrawn=True)
    reset(site.instance, documents=[f"{BATCH}/empty.pdf"], stage=None, reason="the source was checked")
    for request in site.tick(first.cursor).run_requests or []:
        site.run(request)
    return str(site.tick(first.cursor).cursor)


def facts(site: SmallSite, cursor: str, intake: Path) -> dict[str, object]:
    documents = {}
    for entry in read_ledger(site.instance, site.pipeline).entries:
        headers = {
            stream.asset: site.pipeline.lake.header(stream, entry.document) for stream in PIPELINE.streams
        }
        documents[entry.document] = {
            "state": entry.state.value,
            "error": entry.error,
            "modified": (intake / entry.document).stat().st_mtime,
            "artifacts": {
                asset: {"rows": header.rows, "fingerprint": header.fingerprint}
                for asset, header in headers.items()
                if header is not None
            },
        }
    packages = {name: version(name) for name in ("docpipe-assets", "dagster", "pymupdf", "rapidocr")}
    return {"packages": packages, "cursor": cursor, "documents": documents}


def main() -> int:
    target = FOLDER / version("docpipe-assets")
    if target.exists():
        print(f"{target.name} is recorded already; a release is recorded once", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place), Path(place, "dagster-home")
        home.mkdir()
        (home / "dagster.yaml").write_text(CONFIGURATION)
        for bucket in BUCKETS:
            (target / bucket).mkdir(parents=True)
        (target / "intake" / BATCH).mkdir()
        write_documents(target / "intake" / BATCH)
        with small_site(target, home, folder / "data") as site:
            known = facts(site, process(site), target / "intake")
        for database in home.rglob("*.db"):
            hide_folders(database, {Path(sys.prefix), Path(sys.base_prefix), FOLDER.parents[1], folder})
        (target / "release.json").write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        with (
            zstandard.open(target / "dagster-home.tar.zst", "wb", zstandard.ZstdCompressor(19)) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            archive.add(home, "dagster-home", filter=_anonymous)
    print(f"{target.name}: {len(known['documents'])} documents")  # type: ignore[arg-type]  # a dict
    return 0


def hide_folders(database: Path, folders: set[Path]) -> None:
    """Removes folders from stack traces: the data must not depend on the location of this checkout."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if kind.upper().startswith(("TEXT", "VARCHAR")):
                    # The longest first: the environment may be inside the checkout.
                    for folder in sorted(map(str, folders), key=len, reverse=True):
                        connection.execute(
                            f"UPDATE {table} SET {column} = replace({column}, ?, '/opt/docpipe')", (folder,)
                        )
        connection.commit()
        connection.execute("VACUUM")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    sys.exit(main())
