"""``docpipe eval ocr`` reads documents as the pipeline does, and reports defects of a set."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from docpipe_assets.cli import app
from docpipe_assets.errors import ConfigurationError
from docpipe_assets.evaluation.ocr import evaluate, find_pairs, summaries
from docpipe_assets.settings import Settings

ENGINE = "docpipe_assets_tests.engines.faulty_ocr:"
"""Returns the gray value of a page and the process that reads it."""


@pytest.fixture(autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_DATA_DIR", str(tmp_path_factory.mktemp("data")))


def add(folder: Path, name: str, shades: list[int], text: str | None) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = [Image.new("L", (100, 100), shade) for shade in shades]
    first.save(path, dpi=(100, 100), save_all=bool(others), append_images=others)
    if text is not None:
        path.with_suffix(".txt").write_text(text)


def test_pages_are_rendered_read_and_scored(tmp_path: Path) -> None:
    add(tmp_path, "letters/a.png", [200], "shade-200 ")
    add(tmp_path, "faxes/b.tif", [90, 80], "shade-91\fshade-80\f")
    add(tmp_path, "faxes/c.pdf", [255], "shade-255")
    ran = CliRunner().invoke(
        app, ["eval", "ocr", "--pairs", str(tmp_path), "--engine", f"{ENGINE}Sound", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(row["kind"], row["document"], row["page"]) for row in rows] == [
        ("faxes", "faxes/b.tif", 1),
        ("faxes", "faxes/b.tif", 2),
        ("faxes", "faxes/c.pdf", 1),
        ("letters", "letters/a.png", 1),
    ]
    assert [row["text"].split()[0] for row in rows] == ["shade-90", "shade-80", "shade-255", "shade-200"]
    assert len({row["text"].split()[1] for row in rows}) == 1
    assert rows[3]["counts"]["word_edits"] == 1  # the process id
    assert all(row["peak_bytes"] > 2**20 for row in rows)


def test_the_table_has_totals_by_folder_and_engine(tmp_path: Path) -> None:
    add(tmp_path, "letters/a.png", [200], "shade-200")
    add(tmp_path, "faxes/b.png", [13], "shade-13")
    settings = Settings(data_dir=tmp_path / "data")
    engines = [f"{ENGINE}{name}" for name in ("Sound", "ExhaustsMemoryOnPage")]
    found = summaries(list(evaluate(find_pairs(tmp_path), engines, settings)))
    assert [(row.kind, row.pages, row.failed) for row in found] == [
        ("faxes", 1, 0),
        ("faxes", 1, 1),
        ("letters", 1, 0),
        ("letters", 1, 0),
        ("all", 2, 0),
        ("all", 2, 1),
    ]
    assert found[1].score.words_found == 0


@pytest.mark.parametrize(
    ("text", "says"), [(None, "a.png: its text is missing"), (" \n", "a.png: its text a.txt is empty")]
)
def test_a_document_without_a_text_is_named(tmp_path: Path, text: str | None, says: str) -> None:
    add(tmp_path, "a.png", [200], text)
    with pytest.raises(ConfigurationError, match=says):
        find_pairs(tmp_path)
    ran = CliRunner().invoke(app, ["eval", "ocr", "--pairs", str(tmp_path)])
    assert ran.exit_code == 2


def test_a_folder_without_documents_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no PDF and no page image"):
        find_pairs(tmp_path)


@pytest.mark.parametrize("text", ["one page", "one\ftwo\fthree"])
def test_the_number_of_texts_must_equal_that_of_pages(tmp_path: Path, text: str) -> None:
    add(tmp_path, "a.tif", [10, 20], text)
    with pytest.raises(ConfigurationError, match=r"a\.tif: 2 pages, . texts"):
        list(evaluate(find_pairs(tmp_path), [f"{ENGINE}Sound"], Settings(data_dir=tmp_path / "data")))


def test_a_file_that_is_not_an_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(ConfigurationError, match=r"a\.png is not a readable image"):
        list(evaluate(find_pairs(tmp_path), [f"{ENGINE}Sound"], Settings(data_dir=tmp_path / "data")))
