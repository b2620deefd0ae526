"""Forms are counted identically in memory and on disk."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import docpipe_assets.entities.form_counts as counted
from docpipe_assets.entities.form_counts import Form, FormCounts
from docpipe_assets.errors import DiskLimit
from docpipe_assets.model import EntityType, Place
from docpipe_assets.storage.scratch import ScratchFolder

SUM = EntityType.MONEY


def place(start: int) -> Place:
    return Place(document="d", version="v", start=start, end=start + 3, page=1, last_page=1)


def ranked(forms: FormCounts) -> list[tuple[str, str, list[Form]]]:
    return list(forms.ranked(SUM, lambda key, found: (found[0].text, key)))


@pytest.mark.parametrize("forms_at_once", [1, 2, 1000])
def test_counts_and_first_places_do_not_depend_on_the_memory_limit(
    scratch: ScratchFolder, monkeypatch: pytest.MonkeyPatch, forms_at_once: int
) -> None:
    monkeypatch.setattr(counted, "_FORMS_AT_ONCE", forms_at_once)
    forms_in_text = [
        ("USD 5", "$5"),
        ("USD 9", "$9"),
        ("USD 5", "5 dollars"),
        ("USD 5", "$5"),
        ("USD 7", "$7"),
    ]
    for order in itertools.permutations(enumerate(forms_in_text)):
        with FormCounts.open(scratch) as forms:
            for number, (key, text) in order:
                forms.add(SUM, key, text, place(10 * number))
            found = ranked(forms)
            assert [(key, name) for key, name, _ in found] == [
                ("USD 5", "$5"),
                ("USD 7", "$7"),
                ("USD 9", "$9"),
            ]
            assert [(f.text, f.mentions, f.start) for f in found[0][2]] == [
                ("$5", 2, 0),
                ("5 dollars", 1, 20),
            ]
            assert Place.model_validate_json(found[1][2][0].place) == place(40)
            assert forms.counts(SUM) == {"$5": 2, "5 dollars": 1, "$7": 1, "$9": 1}
            assert forms.counts(EntityType.PERSON) == {}


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    with FormCounts.open(ScratchFolder(tmp_path)) as forms:
        for number in range(30_000):
            forms.add(SUM, f"USD {number}", f"${number}", place(number))
        assert len(forms.counts(SUM)) == 30_000
        assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) > 1_000_000
    assert list(tmp_path.iterdir()) == []


class FullDisk(ScratchFolder):
    """Has space for the folder but not for any file in it."""

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with super().folder() as folder:
            yield folder / "no folder"


def test_a_full_disk_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(DiskLimit, match="DOCPIPE_DATA_DIR") as caught, FormCounts.open(FullDisk(tmp_path)):
        pass
    assert isinstance(caught.value.__cause__, sqlite3.Error)
