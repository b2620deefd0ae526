"""In a generated production all seeded Bates faults are found, and in a clean one none."""

from pathlib import Path

from docpipe_assets.bates.findings import BatesFault, BatesFinding, BatesSummary
from docpipe_assets.model import PageSplits, PageText, PageTexts, RawPdfs
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.runtime.summaries import BATES
from docpipe_assets.settings import Settings
from docpipe_assets.storage.file import LocalFiles
from docpipe_assets_tests.evaluation.bates.production import FAULTS, Production, make, pdf_of
from docpipe_assets_tests.evaluation.bates.scoring import Score, compare, judge, summary_of

DOCUMENTS, PAGES = 37, 330


def processed(
    production: Production, folder: Path
) -> tuple[dict[str, list[PageText]], dict[str, BatesSummary]]:
    """The text of every document, read from its text layer by the stages, and the summary of its labels."""
    files = {}
    for n, document in enumerate(production.documents):
        files[document.name] = folder / f"{n}.pdf"
        files[document.name].write_bytes(pdf_of(document))
    settings = Settings(data_dir=folder / "data", lake_url=(folder / "lake").as_uri())
    pipeline = DocumentPipeline(settings, intake=LocalFiles(files))
    texts, notes = {}, {}
    try:
        for name in files:
            pipeline.save(name, pipeline.raw_pdf(name))
            pipeline.save(name, pipeline.page_splits(name, pipeline.load(RawPdfs, name)))
            saved = pipeline.save(name, pipeline.ocr_text(name, pipeline.load(PageSplits, name)))
            texts[name] = list(pipeline.load(PageTexts, name))
            notes[name] = BatesSummary.from_json(saved.header.notes[BATES])
    finally:
        pipeline.close()
    return texts, notes


def test_all_seeded_faults_are_found_and_no_others(tmp_path: Path) -> None:
    production = make(documents=25, pages=190, seed=2, every=2)
    texts, notes = processed(production, tmp_path)
    score = compare(production, texts)
    assert (score.right, score.wrong) == (score.pages, [])
    assert (score.found, score.not_found) == (list(FAULTS), [])
    assert score.invented == []
    assert notes == {name: summary_of(pages) for name, pages in texts.items()}


def test_in_a_clean_production_nothing_is_found(tmp_path: Path) -> None:
    production = make(documents=8, pages=70, seed=3, has_faults=False)
    score = compare(production, processed(production, tmp_path)[0])
    assert (score.right, score.found, score.invented) == (score.pages, [], [])


def test_the_score_lists_missed_and_false_findings() -> None:
    production = make(documents=25, pages=190, seed=2, every=2)
    nothing, something = Score(), Score()
    summaries = dict.fromkeys((document.name for document in production.documents), BatesSummary())
    judge(production, summaries, nothing)
    assert (nothing.found, nothing.not_found) == ([], list(FAULTS))
    first = production.documents[0].name
    summaries[first] = BatesSummary(1, findings=(BatesFinding(BatesFault.PADDING, "made up"),))
    judge(production, summaries, something)
    assert something.invented[0] == f"padding {first}: made up"
