"""No damaged or hostile file affects the worker, the next document or the correctness of the records."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe_assets.errors import InternalError
from docpipe_assets.runtime.document_pipeline import DocumentPipeline
from docpipe_assets_tests.hostile import all_kinds, write_hostile
from docpipe_assets_tests.hostile.kinds import PARTIAL, TEXT, Kind
from docpipe_assets_tests.hostile.processing import Outcome, artifacts, open_pipeline, outcome_of
from docpipe_assets_tests.hostile.table import HEAD, row
from docpipe_assets_tests.hostile.tiny_pdf import SENTENCE, show, simple

pytestmark = pytest.mark.timeout(600)

NORMAL = "normal.pdf"
NORMAL_AGAIN = "normal-again.pdf"
ENOUGH_KINDS = 60


class Round:
    """Hostile files in one worker, between two normal documents of the same bytes."""

    def __init__(self, folder: Path, kinds: list[Kind]) -> None:
        self.kinds = write_hostile(folder / "files", [kind.name for kind in kinds])
        pages = [show(f"Exhibit {n}. {SENTENCE} by Ellen Marsh on March {n}, 2021.") for n in range(1, 31)]
        normal = folder / "files" / NORMAL
        normal.write_bytes(simple(*pages))
        files = {name: folder / "files" / name for name in self.kinds}
        self.scratch = folder / "data" / "scratch"
        others = _zygotes()
        with open_pipeline(folder / "data", {**files, NORMAL: normal, NORMAL_AGAIN: normal}) as pipeline:
            self.before = self._normal(pipeline, NORMAL)
            self.zygote = _zygotes() - others
            self.outcomes = dict(self._hostile(pipeline))
            self.zygote_after = _zygotes() - others
            self.left = sorted(str(path.relative_to(self.scratch)) for path in self.scratch.glob("*/*"))
            self.after = self._normal(pipeline, NORMAL_AGAIN)

    def _normal(self, pipeline: DocumentPipeline, document: str) -> str:
        assert outcome_of(pipeline, document).code == TEXT
        return str(artifacts(pipeline, document)).replace(document, NORMAL)

    def _hostile(self, pipeline: DocumentPipeline) -> Iterator[tuple[str, Outcome]]:
        print(f"\n{HEAD}")
        for name, kind in self.kinds.items():
            outcome = outcome_of(pipeline, name)
            print(row(kind, outcome))
            yield kind.name, outcome


def _zygotes() -> set[str]:
    """The processes that fork for the parsers, without the one that reads page images."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {pid for pid in children if b"sandbox.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()}


QUICK = [kind for kind in all_kinds() if not kind.is_slow]
SLOW = [kind for kind in all_kinds() if kind.is_slow]


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> Round:
    return Round(tmp_path_factory.mktemp("hostile"), QUICK)


def test_there_are_enough_kinds_and_they_are_small(processed: Round) -> None:
    sizes = [path.stat().st_size for path in processed.scratch.parents[1].glob("files/*")]
    assert len(processed.kinds) >= ENOUGH_KINDS
    assert max(sizes) < 3 * 2**20
    assert sum(sizes) < 30 * 2**20


@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_each_kind_has_an_acceptable_outcome(processed: Round, kind: Kind) -> None:
    assert_outcome_is_acceptable(processed, kind)


@pytest.mark.long
@pytest.mark.parametrize("kind", SLOW, ids=lambda kind: kind.name)
def test_a_slow_kind_has_an_acceptable_outcome(tmp_path: Path, kind: Kind) -> None:
    alone = Round(tmp_path, [kind])
    assert_outcome_is_acceptable(alone, kind)
    assert (alone.left, alone.zygote_after, alone.after) == ([], alone.zygote, alone.before)


def assert_outcome_is_acceptable(processed: Round, kind: Kind) -> None:
    outcome = processed.outcomes[kind.name]
    assert outcome.code != InternalError.code, outcome.message
    assert outcome.code in kind.outcomes, outcome.message
    if outcome.code in (TEXT, PARTIAL):
        assert kind.shows in outcome.text


def test_every_error_names_the_document(processed: Round) -> None:
    nameless = [
        name for name, found in processed.outcomes.items() if found.message and name not in found.message
    ]
    assert nameless == []


def test_the_same_forking_process_serves_all_files(processed: Round) -> None:
    assert len(processed.zygote) == 1
    assert processed.zygote_after == processed.zygote


def test_nothing_is_left_in_the_scratch_folder(processed: Round) -> None:
    assert processed.left == []


def test_a_normal_document_has_the_same_result_before_and_afterwards(processed: Round) -> None:
    assert processed.after == processed.before


def test_nothing_in_a_file_is_used_as_a_path(processed: Round) -> None:
    assert not Path("/tmp/docpipe-was-here").exists()
    assert not Path("/etc/cron.d/docpipe-was-here").exists()
    passwd = Path("/etc/passwd").read_text().splitlines()[0]
    assert not any(passwd in outcome.text for outcome in processed.outcomes.values())
