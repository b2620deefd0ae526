"""The layering holds: imports point to lower levels, and siblings do not import each other."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import docpipe_assets

PACKAGE = Path(docpipe_assets.__file__).parent

# Highest first. A module may import from later sets; modules of the same set must not import each other.
LEVELS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"definitions", "viewer", "evaluation", "stack", "sample"},
    {"defs"},
    {"instance"},
    {"runtime"},
    {"operations"},
    {"stages"},
    {"engines", "sandbox", "storage"},
    {"litigation", "page_marks"},
    {"entities", "bates"},
    {"text"},
    {"streaming"},
    {"pipeline"},
    {"protocols", "identity", "settings"},
    {"model", "errors"},
    {"lanes", "lazy"},
]
# The same within a package; in packages that are not listed, modules do not import each other.
INSIDE: dict[str, list[set[str]]] = {
    "bates": [{"batch", "checks", "runs"}, {"file_names", "look_alikes"}, {"findings", "stamps"}],
    "cli": [
        {"platform", "recover"},
        {"breakers_table", "demo", "evaluate", "ingest", "local", "status"},
        {"app", "rendering"},
    ],
    "defs": [
        {"sensors"},
        {"jobs"},
        {"assets"},
        {"checks", "operations"},
        {"corpus", "io_managers", "partitions"}
        | {"dagster_internals", "instance_storage", "run_coordinator", "run_launcher"},
    ],
    "engines": [{"ocr_pool", "ocr_process"}, {"ner", "ocr", "pdf"}],
    "engines.ner": [{"citations", "crf", "patterns"}],
    "engines.ner.crf": [{"company_forms"}, {"short_names"}, {"features"}, {"gazetteers"}],
    "engines.ner.patterns": [
        {"courts", "numbers"},
        {"contacts", "dates", "statutes", "sums"},
        {"rule"},
    ],
    "engines.ocr": [{"rapidocr_openvino"}, {"rapidocr", "tesseract", "textract"}],
    "engines.ocr.rapidocr": [
        {"orientation"},
        {"backends", "recognition"},
        {"detection", "flattening", "latin_head"},
    ],
    "engines.pdf": [{"pdfium", "pymupdf"}, {"ink", "plain", "qpdf", "reader"}],
    "entities": [{"lookup"}, {"name_groups"}, {"co_occurrence", "form_counts", "names"}],
    "evaluation": [{"ocr"}, {"text_score"}],
    "instance": [
        {"worker"},
        {"pool_process"},
        {"coordinator", "launcher", "storage"},
        {"broker", "dagster_internals", "records"},
    ],
    "instance.records": [
        {"recovery"},
        {"history"},
        {"breaker_events", "changes", "failures", "interventions", "recall"},
        {"events", "names", "tags"},
    ],
    "litigation": [{"parties"}, {"counsel_lines"}, {"captions"}],
    "model": [
        {"entities"},
        {"chunks", "documents", "mentions", "pages", "relationships"},
        {"corpus", "places"},
        {"record"},
    ],
    "operations": [
        {"batch_report", "recovery"},
        {"ledger"},
        {"intake", "interventions"},
        {"audit", "breaker"},
    ],
    "operations.breaker": [{"decision"}, {"state"}, {"document", "stage"}, {"events", "reactions"}],
    "page_marks": [{"labels"}, {"marks"}, {"legends"}],
    "runtime": [{"local_run", "shared"}, {"document_pipeline"}, {"budgets", "meter", "summaries"}],
    "sample": [
        {"production"},
        {"dispatch_log", "transcript", "truth"},
        {"damaged", "documents", "typeset"},
        {"correspondence", "markup", "people", "scan"},
    ],
    "sandbox": [
        {"parent", "zygote"},
        {"call", "child"},
        {"confinement", "verdict"},
        {"call_filter", "control", "folders", "limits", "memory", "wire"},
    ],
    "stack": [
        {"supervisor"},
        {"running"},
        {"broker", "dagster_parts", "postgres", "process", "s3_server"},
        {"endpoints", "workspace"},
        {"launch", "parts"},
    ],
    "storage": [
        {"lake"},
        {"checkpoints", "corpus", "open_store", "parts"},
        {"artifact", "file", "memory", "s3"},
        {"scratch", "transfer", "upload"},
    ],
    "text": [
        {"ocr_readings", "page_flags", "page_text"},
        {"layer_order", "sentences", "text_layer"},
        {"languages", "page_ranges", "paragraphs", "reading_order", "word_lists"},
    ],
}

PRIVATE_NAMES = "instance/dagster_internals.py"
DAGSTER_MAY_BE_IN = {"cli", "definitions", "defs", "instance"}
HEAVY = {
    "pymupdf": {"engines/pdf/pymupdf.py"},
    "pypdfium2": {"engines/pdf/pdfium.py", "sample"},
    "pikepdf": {"engines/pdf/qpdf.py", "sample"},
    "rapidocr": {"engines/ocr"},
    "onnxruntime": {"engines/ocr"},
    "openvino": {"engines/ocr"},
    "onnx": {"engines/ocr/rapidocr/latin_head.py"},
    "pycrfsuite": {"engines/ner/crf"},
    "eyecite": {"engines/ner/citations.py"},
    "boto3": {"storage/s3.py", "engines/ocr/textract.py"},
    "fasttext": {"text/languages.py"},
    "zstandard": {"storage/artifact.py", "engines/ner/crf"},
    "celery": {"instance"},
    "dagster_celery": {PRIVATE_NAMES},
    "reportlab": {"sample"},
    "duckdb": set(),
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


def dotted(path: Path) -> tuple[str, ...]:
    """``docpipe_assets/text/sentences.py`` -> ``("text", "sentences")``; a package is its ``__init__``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def module_of(name: str) -> tuple[str, ...]:
    """The module or package of docpipe that an imported name is or belongs to."""
    parts = tuple(name.split(".")[1:])
    return parts if parts in KNOWN else parts[:-1]


KNOWN = {dotted(path) for path in modules()}


def breach(own: tuple[str, ...], other: tuple[str, ...]) -> str | None:
    """The reason why a module may not import another: at their first difference, the other must be lower."""
    shared = next((n for n, (a, b) in enumerate(zip(own, other, strict=False)) if a != b), None)
    if shared is None:  # a package and its own modules
        return None
    package = ".".join(own[:shared])
    levels = INSIDE.get(package) if package else LEVELS
    if levels is None:
        return f"{package} holds modules that do not import each other"
    own_level, other_level = (
        next((depth for depth, level in enumerate(levels) if one[shared] in level), None)
        for one in (own, other)
    )
    if own_level is None or other_level is None:
        return f"{own[shared]} or {other[shared]} has no place in the picture of {package or 'the package'}"
    return None if own_level < other_level else f"{other[shared]} is not below {own[shared]}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = dotted(path)
    ours = {module_of(name) for name in imports_of(path) if name.startswith("docpipe_assets.")}
    wrong = {".".join(other): why for other in ours - {()} if (why := breach(own, other))}
    assert not wrong, f"{path.name}: {wrong}"


@pytest.mark.parametrize("package", [None, *INSIDE])
def test_every_module_is_in_the_picture(package: str | None) -> None:
    own = tuple(package.split(".")) if package else ()
    pieces = {name[len(own)] for name in KNOWN if name[: len(own)] == own and len(name) > len(own)}
    levels = INSIDE[package] if package else LEVELS
    assert set().union(*levels) == pieces
    assert sum(map(len, levels)) == len(pieces)


def test_the_architecture_page_lists_these_levels() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    listed = page.partition("## Levels")[2].split("```")[1].strip().splitlines()
    assert [line.split() for line in listed] == [sorted(level) for level in LEVELS]


def test_the_architecture_page_names_modules_that_exist() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    named = {
        name for name in re.findall(r"`([\w/]+(?:\.py|/))`", page) if not name.startswith("docpipe_assets")
    }
    assert len(named) > 20
    for name in named:
        assert any(path.as_posix().endswith(f"/{name.rstrip('/')}") for path in PACKAGE.rglob("*")), name


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
def test_objects_shared_by_threads_are_created_lazily_under_a_lock(path: Path) -> None:
    assert "functools.cached_property" not in imports_of(path), "use docpipe_assets.lazy"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_heavy_library_is_imported_only_by_its_adapter(path: Path) -> None:
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


def test_importing_the_model_does_not_import_heavy_libraries() -> None:
    import subprocess
    import sys

    code = (
        "import sys, docpipe_assets.model, docpipe_assets.runtime.local_run;"
        "heavy = {'dagster', 'pymupdf', 'onnxruntime', 'pypdfium2', 'pikepdf', 'boto3', 'rapidocr'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_each_stage_of_the_graph_has_a_module_and_each_module_a_stage() -> None:
    from docpipe_assets.pipeline import PIPELINE

    edges = {path for path in (PACKAGE / "stages").glob("*.py") if path.stem != "__init__"}
    assert all(re.fullmatch(r"[a-z]+_to_[a-z]+", path.stem) for path in edges)
    makes = {path: re.findall(r"PIPELINE\.fingerprint\(\s*(\w+)", path.read_text()) for path in edges}
    assert sorted(stream for streams in makes.values() for stream in streams) == sorted(
        stage.stream.__name__ for stage in PIPELINE
    )
