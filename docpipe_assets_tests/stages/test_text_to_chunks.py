"""Chunks: complete sentences, a limited number of tokens, exact offsets."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.model import PAGE_SEPARATOR, PageTexts
from docpipe_assets.stages.text_to_chunks import TOKEN, text_to_chunks
from docpipe_assets_tests.stages.productions import document_text, page_texts

SENTENCE = "The driver left the depot at noon."  # 8 tokens


def test_chunks_contain_complete_sentences_within_the_budget() -> None:
    pages = page_texts(" ".join([SENTENCE] * 10))
    chunks = list(text_to_chunks(pages, token_limit=20, overlap_tokens=0))
    assert [chunk.text for chunk in chunks] == [f"{SENTENCE} {SENTENCE}"] * 5
    assert {chunk.tokens for chunk in chunks} == {16}


def test_neighbors_overlap_by_complete_sentences() -> None:
    pages = page_texts("One came. Two came. Three came. Four came. Five came.")
    chunks = list(text_to_chunks(pages, token_limit=9, overlap_tokens=3))
    assert [chunk.text for chunk in chunks] == [
        "One came. Two came. Three came.",
        "Three came. Four came. Five came.",
    ]


def test_a_sentence_continues_across_pages_and_names_both() -> None:
    pages = page_texts("He signed the contract with\n", "Acuity Freight in Reno. Then he left.", "")
    (chunk,) = text_to_chunks(pages)
    assert chunk.text == f"He signed the contract with\n{PAGE_SEPARATOR}Acuity Freight in Reno. Then he left."
    assert [(span.page, span.start, span.end) for span in chunk.pages] == [(1, 0, 28), (2, 29, 66)]


def test_a_long_sentence_is_split_after_a_clause_never_inside_a_word() -> None:
    clauses = "; ".join(f"item number {n} was delivered without its documents" for n in range(20))
    chunks = list(text_to_chunks(page_texts(clauses), token_limit=30, overlap_tokens=0))
    assert len(chunks) > 4
    assert all(chunk.text.endswith((";", "documents")) for chunk in chunks)
    words = [word for chunk in chunks for word in chunk.text.split()]
    assert words == clauses.split()


def test_a_word_longer_than_a_chunk_is_split() -> None:
    chunks = list(text_to_chunks(page_texts("x" * 1000), token_limit=5, overlap_tokens=0))
    assert [len(chunk.text) for chunk in chunks] == [200] * 5


def test_a_sentence_begins_where_a_paragraph_begins() -> None:
    lines = [
        "Communications concerning Brightwater Transportation Holdings Incorporated",
        "Acuity Freight of Reno signed for all that came to the yard in Caldera that day",
    ]
    (page,) = page_texts("\n".join(lines))
    marked = page.model_copy(update={"paragraphs": (0, len(lines[0]) + 1)})
    found = [
        [
            chunk.text
            for chunk in text_to_chunks(
                PageTexts("pages", partial(iter, [one])), token_limit=20, overlap_tokens=0
            )
        ]
        for one in (page, marked)
    ]
    assert found[0] != lines, "one sentence, split where the budget ends"
    assert found[1] == lines


def test_a_chunk_has_the_last_heading_before_it() -> None:
    body = " ".join([SENTENCE] * 3)
    pages = page_texts(f"{body}\nFACTS\n{body}", f"{body}\nII. Standard of Review\n{body}")
    chunks = list(text_to_chunks(pages, token_limit=30, overlap_tokens=0))
    assert [(chunk.heading, chunk.text.split("\n")[0]) for chunk in chunks] == [
        (None, body),
        ("FACTS", "FACTS"),
        ("FACTS", body),
        ("II. Standard of Review", "II. Standard of Review"),
    ]


def test_a_document_without_text_has_no_chunks() -> None:
    assert list(text_to_chunks(page_texts("", " \n", ""))) == []


@pytest.mark.parametrize(("token_limit", "overlap_tokens"), [(0, 0), (10, 10), (10, -1)])
def test_an_impossible_budget_is_rejected_at_once(token_limit: int, overlap_tokens: int) -> None:
    with pytest.raises(ConfigurationError, match="overlap"):
        text_to_chunks(page_texts("x"), token_limit=token_limit, overlap_tokens=overlap_tokens)


def test_the_fingerprint_depends_on_settings_and_input_without_iteration() -> None:
    pages = page_texts("One came.")
    known = text_to_chunks(pages).fingerprint
    assert (
        text_to_chunks(page_texts("Other text.")).fingerprint == known
    )  # the input's fingerprint counts, not its content
    assert text_to_chunks(pages, token_limit=100).fingerprint != known
    assert text_to_chunks(page_texts("One came.", fingerprint="others")).fingerprint != known


PAGES = st.lists(
    st.text(alphabet=st.sampled_from('aB .?!\n,;1é-"”)\t\f'), max_size=120) | st.text(max_size=60), max_size=5
)


@given(PAGES, st.integers(1, 30), st.integers(0, 12))
def test_chunks_slice_the_text_exactly_and_omit_only_white_space(
    texts: list[str], token_limit: int, overlap_tokens: int
) -> None:
    pages = page_texts(*texts)
    text = document_text(pages)
    chunks = list(
        text_to_chunks(pages, token_limit=token_limit, overlap_tokens=min(overlap_tokens, token_limit - 1))
    )
    covered = 0
    for number, chunk in enumerate(chunks):
        assert chunk.chunk == number
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.tokens == len(TOKEN.findall(chunk.text)) <= token_limit
        assert not text[covered : chunk.start].strip()
        assert chunk.end > covered
        covered = chunk.end
        for span in chunk.pages:
            page = texts[span.page - 1]
            offset = sum(len(t) + 1 for t in texts[: span.page - 1])
            assert text[span.start : span.end] == page[span.start - offset : span.end - offset]
        assert PAGE_SEPARATOR.join(text[s.start : s.end] for s in chunk.pages).split() == chunk.text.split()
    assert not text[covered:].strip()
