"""The decision for a page holds on made pages of both halves; one page of each kind stands for the others."""

from collections.abc import Iterator

import pytest

from docpipe_assets.protocols import PdfReader
from docpipe_assets.settings import Settings
from docpipe_assets.workbench import Workbench
from docpipe_assets_tests.evaluation.text_layer import typeset, unseen
from docpipe_assets_tests.evaluation.text_layer.__main__ import Decided, decided, rates
from docpipe_assets_tests.evaluation.text_layer.labelled import LabelledPage, Right


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdfReader]:
    bench = Workbench(Settings(data_dir=tmp_path_factory.mktemp("bench")))
    yield bench.reader
    bench.close()


@pytest.fixture(scope="module")
def found(reader: PdfReader, tmp_path_factory: pytest.TempPathFactory) -> list[Decided]:
    folder = tmp_path_factory.mktemp("pages")
    firsts = [page for half in (typeset.pages(1), unseen.pages(1)) for page in half]
    return [decided(page, reader, folder) for page in firsts]


def test_there_are_pages_of_many_kinds(found: list[Decided]) -> None:
    assert len({(one.page.half, one.page.kind) for one in found}) == len(found) >= 70
    assert {one.page.right for one in found} == set(Right)


def test_pages_that_need_ocr_get_it_and_others_do_not(found: list[Decided]) -> None:
    recall, false = rates(found)
    wrong = [(one.page.kind, one.decision) for one in found if not one.page.right.allows(one.decision.method)]
    assert recall >= 0.96, wrong
    assert false <= 0.03, wrong


def test_a_made_page_is_the_same_each_time() -> None:
    def some() -> list[LabelledPage]:
        kinds = (typeset.pasted_exhibit, unseen.produced_scan)
        return [LabelledPage("", kind.__name__, 1, Right.BOTH, kind(7)) for kind in kinds]

    assert some() == some()
