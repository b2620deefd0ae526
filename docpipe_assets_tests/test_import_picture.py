"""The picture of who may import whom holds: imports point down, siblings stay apart."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import docpipe_assets

PACKAGE = Path(docpipe_assets.__file__).parent

# Each layer may import what stands below it; the packages and modules of one layer stay apart.
LAYERS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"demo", "recovery"},
    {"definitions"},
    {"defs"},
    {"stack", "local_run", "batch_report", "evaluation"},
    {"stack", "local_run", "batch_report", "crops"},
    {"report"},
    {"workbench"},
    {"stages", "audit", "intake", "ledger", "engines", "sandbox", "storage", "upload", "meter", "sample"},
    {"rules", "breaker"},
]
GROUND = {"lazy", "lanes", "protocols", "identity", "model", "errors", "settings", "transfer"}
"""What everybody may use."""

PRIVATE_NAMES = "instance/dagster_internals.py"
DAGSTER_MAY_BE_IN = {"cli", "definitions", "demo", "defs", "recovery", "stack"}
HEAVY = {
    "pymupdf": {"engines/pdf/pymupdf.py"},
    "pypdfium2": {"engines/pdf/pdfium.py", "sample"},
    "pikepdf": {"engines/pdf/qpdf.py", "sample"},
    "rapidocr": {"engines/ocr"},
    "onnxruntime": {"engines/ocr"},
    "openvino": {"engines/ocr"},
    "onnx": {"engines/ocr/rapidocr/latin_head.py"},
    "pycrfsuite": {"engines/ner"},
    "eyecite": {"engines/ner"},
    "boto3": {"storage/s3.py", "engines/ocr/textract.py"},
    "fasttext": {"text/languages.py"},
    "zstandard": {"storage/lake.py", "engines/ner"},
    "celery": {"defs", "stack"},
    "dagster_celery": {PRIVATE_NAMES},
    "reportlab": {"sample"},
    "duckdb": set(),
}
ALLOWED = {
    ("ledger", "intake"): "the ledger counts what intake calls a document",
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def piece_of(name: str) -> str:
    """``docpipe_assets.stages.x`` -> ``stages``."""
    return name.split(".")[1] if "." in name else ""


def level(piece: str) -> int | None:
    return next((depth for depth, layer in enumerate(LAYERS) if piece in layer), None)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    own_level = level(own)
    wrong = []
    for name in imports_of(path):
        other = piece_of(name) if name.startswith("docpipe_assets.") else ""
        if not other or other in (own, *GROUND) or (own, other) in ALLOWED:
            continue
        other_level = level(other)
        if own_level is None or other_level is None or other_level <= own_level:
            wrong.append(name)
    assert not wrong, f"{path.name} imports {wrong}"


def test_every_piece_has_its_place_in_the_picture() -> None:
    placed = set().union(*LAYERS) | GROUND
    pieces = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in modules()}
    assert pieces - placed - {"__init__"} == set()


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_dagster_is_imported_only_by_the_glue(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own not in DAGSTER_MAY_BE_IN:
        assert not {name for name in imports_of(path) if name.split(".")[0] == "dagster"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_private_names_of_dagster_are_imported_by_one_module(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() != PRIVATE_NAMES:
        assert not {name for name in imports_of(path) if re.match(r"dagster\w*\._", name)}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_threads_may_share_is_made_at_its_first_use_under_a_lock(path: Path) -> None:
    assert "functools.cached_property" not in imports_of(path), "use docpipe_assets.lazy"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_heavy_library_is_imported_by_its_adapter_alone(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for name in {name.split(".")[0] for name in imports_of(path)} & HEAVY.keys():
        assert any(place.startswith(adapter) for adapter in HEAVY[name]), f"{place} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_environment_is_read_only_by_settings(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in ("settings", "stack"):
        return
    for node in nodes_of(path):
        is_getenv = isinstance(node, ast.Attribute) and node.attr == "getenv"
        is_read = (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and ast.unparse(node.value) == "os.environ"
        )
        is_get = isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get"
        is_forbidden = is_getenv or is_read or is_get
        assert not is_forbidden, f"{path.name}:{getattr(node, 'lineno', 0)}"


def test_importing_the_nouns_does_not_import_dagster() -> None:
    import subprocess
    import sys

    code = (
        "import sys, docpipe_assets.model, docpipe_assets.runtime.local_run;"
        "heavy = {'dagster', 'pymupdf', 'onnxruntime', 'pypdfium2', 'pikepdf', 'boto3', 'rapidocr'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_stages_are_the_edges_of_the_asset_graph() -> None:
    edges = {path.stem for path in (PACKAGE / "stages").glob("*_to_*.py")}
    assert edges == {
        "object_to_pdf",
        "pdf_to_splits",
        "splits_to_text",
        "text_to_chunks",
        "chunks_to_mentions",
        "mentions_to_entities",
        "entities_to_relationships",
    }
    assert {p.stem for p in (PACKAGE / "stages").glob("*.py")} == edges | {"__init__"}
