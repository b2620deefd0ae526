"""The failures page matches the error classes and the fault suite."""

from docpipe_assets_tests.failures_table import PAGE, codes, with_tables


def test_the_tables_on_the_page_match_the_code() -> None:
    page = PAGE.read_text()
    assert page == with_tables(page), "run python -m docpipe_assets_tests.failures_table"


def test_every_code_has_a_row() -> None:
    page = PAGE.read_text()
    assert [code for code in codes() if f"\n| `{code}` |" not in page] == []
