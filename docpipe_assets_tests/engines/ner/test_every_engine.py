"""The contract of every name engine in the folder."""

import importlib
import inspect
import pkgutil
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import docpipe_assets.engines.ner as folder
from docpipe_assets.model import FoundName
from docpipe_assets.protocols import NameContext, NerEngine

LETTER = """MERCER & LOWE, LLP
14 Canal Road, Suite 3
Dayton, OH 45402                                              March 3, 2021

Re: Ruiz v. Halden Freight, Inc., Case No. 2:21-cv-01234-ABC

Dear Mr. O\u2019Connell:

Ms. Ruiz was treated by Dr. A. Osei. See 571 U.S. 117 and 42 U.S.C. \u00a7 1983.
Pay $1,250.00 (WOMBAT 000454).
"""
CONTEXT = NameContext(frozenset({"was", "treated", "by", "see", "and", "pay"}))


def engine_classes() -> Iterator[type]:
    for module in pkgutil.iter_modules(folder.__path__):
        imported = importlib.import_module(f"{folder.__name__}.{module.name}")
        for _, member in inspect.getmembers(imported, inspect.isclass):
            if member.__module__ == imported.__name__ and hasattr(member, "find"):
                yield member


ENGINES: dict[str, NerEngine] = {cls.__name__: cls() for cls in engine_classes()}
any_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())


def check(text: str, names: list[FoundName]) -> None:
    last = 0
    for name in names:
        assert last <= name.start < name.end <= len(text)
        quote = text[name.start : name.end]
        assert quote == quote.strip()
        assert 0.0 < name.score <= 1.0
        last = name.end


def test_the_folder_contains_the_three_engines() -> None:
    assert set(ENGINES) == {"CrfNer", "PatternNer", "CitationNer"}


@any_engine
def test_spans_are_in_order_and_contain_only_the_name(engine: NerEngine) -> None:
    names = list(engine.find(LETTER, CONTEXT))
    assert names
    check(LETTER, names)
    assert {name.engine for name in names} == {engine.name}


@any_engine
@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\ufeff", "\x00"])
def test_text_without_words_contains_no_names(engine: NerEngine, text: str) -> None:
    assert list(engine.find(text, CONTEXT)) == []


@any_engine
def test_the_same_text_gives_the_same_names(engine: NerEngine) -> None:
    first = list(engine.find(LETTER, CONTEXT))
    list(engine.find("Something else by Jane Roe, 12 F.3d 4, on May 1, 2020.", CONTEXT))
    assert list(engine.find(LETTER, CONTEXT)) == first


@any_engine
def test_characters_beyond_ascii_do_not_shift_the_offsets(engine: NerEngine) -> None:
    prefix = "\U0001f4ce \u017bubr \u6771\u4eac e\u0301 \u2014 "
    shifted = list(engine.find(prefix + "\n\n" + LETTER, CONTEXT))
    check(prefix + "\n\n" + LETTER, shifted)
    move = len(prefix) + 2
    assert {(n.start, n.end) for n in engine.find(LETTER, CONTEXT)} <= {
        (n.start - move, n.end - move) for n in shifted
    }


@any_engine
@pytest.mark.parametrize(
    "unit",
    [
        "A",
        "1",
        "a.",
        "1-",
        "A ",
        "1 A",
        "Smith ",
        "Jan ",
        "12 ",
        "One ",
        "X\n",
        "a@",
        "12 Elm ",
        "Supreme ",
        "A & ",
        "(",
        "é",
        "§ 1, ",
    ],
)
def test_a_very_long_line_is_read_in_time_proportional_to_its_length(engine: NerEngine, unit: str) -> None:
    list(engine.find(LETTER, CONTEXT))
    text = unit * (40_000 // len(unit))
    started = time.process_time()
    check(text, list(engine.find(text, CONTEXT)))
    assert time.process_time() - started < 10


@any_engine
def test_the_version_is_known_without_loading_a_model(engine: NerEngine) -> None:
    fresh = type(engine)()
    started = time.process_time()
    assert fresh.version
    assert time.process_time() - started < 0.2
    assert fresh.version == engine.version


PIECES = st.sampled_from(
    [
        *LETTER.split(" "),
        "No.",
        "19-1392",
        "$",
        "LLC",
        "Dr.",
        "v.",
        "\n",
        "\t",
        "\r\n",
        "2021",
        "555-0142",
        "F.3d",
        "\u2019s",
        "St.",
    ]
)


@any_engine
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map(" ".join)))
def test_any_text_yields_spans_inside_the_text(engine: NerEngine, text: str) -> None:
    check(text, list(engine.find(text, CONTEXT)))
