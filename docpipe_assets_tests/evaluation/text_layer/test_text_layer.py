"""The decision is correct on generated pages; a few kinds represent all of them, which the
command evaluates.
"""

from collections.abc import Iterator

import pytest

from docpipe_assets.protocols import PdfReader
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets.settings import Settings
from docpipe_assets_tests.evaluation.text_layer import later, typeset, unseen
from docpipe_assets_tests.evaluation.text_layer.__main__ import PageDecision, decision_on, rates
from docpipe_assets_tests.evaluation.text_layer.labelled import CorrectMethod, LabelledPage


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdfReader]:
    pipeline = DocumentPipeline(Settings(data_dir=tmp_path_factory.mktemp("pipeline")))
    yield pipeline.reader
    pipeline.close()


KINDS = {
    "tune": (
        "letters ruled_table list_of_names foreign_prose drawing_with_captions photo_with_caption blank "
        "scan_with_sound_hidden_text hidden_of_another_page mixed_map scan_with_bates_stamp pasted_clipping"
    ),
    "test": "log_file layer_displaced font_in_wrong_letters page_with_a_label",
    "later": "other_script",
}
MAKERS = {"tune": typeset, "test": unseen, "later": later}


@pytest.fixture(scope="module")
def found(reader: PdfReader, tmp_path_factory: pytest.TempPathFactory) -> list[PageDecision]:
    folder = tmp_path_factory.mktemp("pages")
    made = []
    for half, names in KINDS.items():
        rights = {kind.__name__: (right, kind) for right, kinds in MAKERS[half].KINDS for kind in kinds}
        for name in names.split():
            right, kind = rights[name]
            made.append(LabelledPage(half, name, 1, right, kind(3001)))
    return [decision_on(page, reader, folder) for page in made]


def test_each_page_gets_its_correct_method(found: list[PageDecision]) -> None:
    wrong = [
        (one.page.kind, one.decision, one.signals)
        for one in found
        if not one.page.right.allows(one.decision.method)
    ]
    assert not wrong
    assert {one.page.right for one in found} == {
        CorrectMethod.LAYER,
        CorrectMethod.OCR,
        CorrectMethod.BOTH,
        CorrectMethod.BLANK,
    }
    assert rates(found) == (1.0, 0.0)


def test_a_generated_page_is_reproducible() -> None:
    def some() -> list[LabelledPage]:
        kinds = (typeset.pasted_exhibit, unseen.produced_scan)
        return [LabelledPage("", kind.__name__, 1, CorrectMethod.BOTH, kind(7)) for kind in kinds]

    assert some() == some()
