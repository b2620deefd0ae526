"""The batch report is consistent, including pages, and lists unfinished documents."""

import json
from dataclasses import replace

from docpipe_assets.bates.findings import BatesFault, BatesFinding, BatesRange, BatesSummary
from docpipe_assets.model import TextMethod
from docpipe_assets.operations.batch_report import (
    ReadDocument,
    batches_table,
    bates_table,
    duplicates_table,
    report_on,
    unfinished_table,
)
from docpipe_assets.operations.ledger import Entry, Ledger, State, duplicates


def ledger(**states: State) -> Ledger:
    return Ledger(tuple(Entry(f"b/{name}.pdf", state) for name, state in states.items()), 0)


def read(pages: int, version: str = "v", read_version: str | None = "v", /, **methods: int) -> ReadDocument:
    return ReadDocument(version, pages, read_version, methods or None)


def test_every_page_is_counted_once() -> None:
    report = report_on(
        ledger(a=State.SUCCEEDED, b=State.PARTIAL, c=State.FAILED, d=State.QUARANTINED),
        {
            "b/a.pdf": read(10, "1", "1", text_layer=6, ocr=3, blank=1),
            "b/b.pdf": read(5, "2", "2", text_layer=4, failed=1),
            "b/c.pdf": read(7, "3", None),
        },
    )
    pages = report.pages
    assert (pages.discovered, pages.text_layer, pages.ocr, pages.blank) == (22, 10, 3, 1)
    assert (pages.failed, pages.in_open_documents, pages.unaccounted) == (1, 7, 0)
    assert report.unaccounted == 0


def test_pages_are_counted_by_the_method_of_their_text() -> None:
    methods = {method.value: n for n, method in enumerate(TextMethod, start=1)}
    report = report_on(ledger(a=State.SUCCEEDED), {"b/a.pdf": read(sum(methods.values()), **methods)})
    counted = report.as_json()["pages"]
    assert {method: counted[method] for method in methods} == methods
    assert report.unaccounted == 0


def test_flagged_pages_are_counted_in_addition_to_the_sum() -> None:
    found = replace(read(10, text_layer=6, ocr=4), pages_flagged=3)
    report = report_on(ledger(a=State.SUCCEEDED), {"b/a.pdf": found})
    assert (report.pages.flagged, report.pages.discovered, report.unaccounted) == (3, 10, 0)


def test_a_lost_page_is_unaccounted() -> None:
    report = report_on(ledger(a=State.SUCCEEDED), {"b/a.pdf": read(10, text_layer=9)})
    assert report.unaccounted == 1


def test_text_of_an_older_version_does_not_count() -> None:
    report = report_on(ledger(a=State.SUCCEEDED), {"b/a.pdf": read(3, "new", "old", text_layer=3)})
    assert report.unaccounted == 3


def test_a_finished_document_without_known_pages_is_unaccounted_and_named() -> None:
    report = report_on(ledger(a=State.SUCCEEDED, b=State.QUEUED), {})
    assert report.unaccounted == 1
    assert report.as_json()["documents_without_pages"] == ["b/a.pdf"]


def test_the_same_bytes_under_several_keys_are_one_group() -> None:
    assert duplicates({"b/z": "1", "a/x": "1", "a/y": "2"}) == (("a/x", "b/z"),)
    assert duplicates({}) == ()


def test_a_withdrawn_document_is_not_a_duplicate() -> None:
    states = ledger(a=State.SUCCEEDED, b=State.WITHDRAWN)
    one = read(1, "same", "same", text_layer=1)
    report = report_on(states, {"b/a.pdf": one, "b/b.pdf": one})
    assert report.duplicates == ()
    assert duplicates_table(report) == "none"


def test_unfinished_documents_are_listed_with_advice() -> None:
    entries = (
        Entry("b/a.pdf", State.SUCCEEDED),
        Entry("b/q.pdf", State.QUARANTINED, "raw_pdf", "PASSWORD_REQUIRED", "b/q.pdf: needs a password"),
        Entry("b/w.pdf", State.QUEUED),
    )
    shown = unfinished_table(report_on(Ledger(entries, 0), {"b/a.pdf": read(1, text_layer=1)}))
    assert "PASSWORD\\_REQUIRED" in shown
    assert "password" in shown.splitlines()[2]
    assert "b/a.pdf" not in shown
    assert "b/w.pdf" not in shown


def test_the_advice_for_a_lost_worker_does_not_suggest_a_defect() -> None:
    entry = Entry("b/a.pdf", State.HELD, None, "WORKER_LOST", "b/a.pdf: lost")
    assert "memory" in unfinished_table(report_on(Ledger((entry,), 0), {}))


def test_a_name_cannot_break_the_table_or_become_a_link() -> None:
    entry = Entry("b/a | b\n[x](http://evil.example)<img>.pdf", State.FAILED)
    shown = unfinished_table(report_on(Ledger((entry,), 0), {}))
    assert len(shown.splitlines()) == 3
    assert "\\[x\\]" in shown
    assert "\\<img\\>" in shown
    assert "a \\| b" in shown


def labelled(first: int, last: int, *findings: BatesFinding, version: str = "v") -> ReadDocument:
    summary = BatesSummary(1, ranges=(BatesRange("AB", 4, first, last),), findings=findings)
    return ReadDocument(version, 1, "v", {"ocr": 1}, summary)


def test_label_findings_are_listed_in_and_between_documents() -> None:
    gap = BatesFinding(BatesFault.GAP, "AB 0002 | is not there")
    report = report_on(
        ledger(a=State.SUCCEEDED, b=State.SUCCEEDED, c=State.WITHDRAWN, d=State.QUEUED),
        {
            "b/a.pdf": labelled(1, 3, gap),
            "b/b.pdf": replace(labelled(3, 5, version="w"), read_version="w"),
            "b/c.pdf": labelled(4, 9),
        },
    )
    assert [(one.document, one.fault.value) for one in report.bates] == [("b/a.pdf", "gap"), ("", "overlap")]
    assert "AB 0002 \\| is not there" in bates_table(report)
    findings = json.loads(json.dumps(report.as_json()))["bates"]
    assert findings[1]["what"] == "AB 0003 is in both b/a.pdf and b/b.pdf"


def test_labels_of_duplicates_are_compared_once_and_stale_ones_not_at_all() -> None:
    one = labelled(1, 3)
    old = labelled(2, 3, version="new")
    states = ledger(a=State.SUCCEEDED, b=State.SUCCEEDED, c=State.SUCCEEDED)
    report = report_on(states, {"b/a.pdf": one, "b/b.pdf": one, "b/c.pdf": old})
    assert report.bates == ()
    assert bates_table(report) == "none"


def test_counts_are_listed_by_batch() -> None:
    entries = (Entry("a/1.pdf", State.SUCCEEDED), Entry("b/1.pdf", State.FAILED), Entry("2.pdf", State.HELD))
    report = report_on(Ledger(entries, 0), {"a/1.pdf": read(1, text_layer=1)})
    head, _, top, a, b = batches_table(report).splitlines()
    assert head == "| batch | discovered | succeeded | failed | held | unaccounted |"
    assert a == "| a | 1 | 1 | 0 | 0 | 0 |"
    assert b == "| b | 1 | 0 | 1 | 0 | 0 |"
    assert "no batch" in top
    assert json.loads(json.dumps(report.as_json()))["batches"]["b"]["failed"] == 1
