"""The valid documents of the sample production: text, paper, scan and file name of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from docpipe_assets.sample.people import BATES_PREFIX

LOG_PAGES = 300


@dataclass(frozen=True)
class Exhibit:
    """One valid document. Pages count from 1; `scanned` pages have no text layer.

    `pages` is stated and not measured: names and labels of all later documents depend on it, and generating a
    document with another number of pages is an error.
    """

    text: str
    title: str
    pages: int
    layout: str = "business"
    firm: str = ""
    name: str = ""
    also_named: str = ""
    scanned: frozenset[int] = frozenset()
    sideways: frozenset[int] = frozenset()

    @property
    def born_digital(self) -> frozenset[int]:
        return frozenset(range(1, self.pages + 1)) - self.scanned

    def file_name(self, first_bates: int) -> str:
        """The stated name, or the trade's usual one: first and last Bates label."""
        return self.name or f"{BATES_PREFIX} {first_bates:06d}-{first_bates + self.pages - 1:06d}.pdf"


def _all_of(pages: int) -> frozenset[int]:
    return frozenset(range(1, pages + 1))


EXHIBITS = (
    Exhibit("complaint", "Complaint", 7, "pleading", "castellane"),
    Exhibit("answer", "Answer and Crossclaim", 5, "pleading", "dunmore"),
    Exhibit("disclosures", "Plaintiffs' Initial Disclosures", 3, "pleading", "castellane"),
    Exhibit(
        "agreement",
        "Master Transportation Services Agreement",
        5,
        "letter",
        name="Master Transportation Services Agreement (executed).pdf",
        scanned=frozenset({4, 5}),
    ),
    Exhibit(
        "emails", "E-mail thread, trailer BX-2209", 3, name="RE_ FW_ Trailer BX-2209 moved at the dock.pdf"
    ),
    Exhibit("police_report", "Ellsmoor Police Report 23-04417", 2, "form", scanned=_all_of(2)),
    Exhibit(
        "medical_record",
        "Fennimore Valley Medical Center",
        3,
        "typewriter",
        name="Quintrell, Marisol - medical records 2023.pdf",
        scanned=_all_of(3),
    ),
    Exhibit(
        "invoice",
        "Brannock invoice 20417",
        2,
        name="Brannock invoice 20417.pdf",
        also_named="Depo Exhibit 7.pdf",
    ),
    Exhibit("lundquist_deposition", "Deposition of Dennis R. Lundquist", 11, "transcript"),
    Exhibit(
        "expert_report",
        "Expert Report of Anselm J. Petrakis",
        4,
        "letter",
        name="Petrakis report 2025-06-20.pdf",
    ),
    Exhibit("interrogatories", "Responses to First Interrogatories", 4, "pleading", "ashcombe"),
    Exhibit(
        "demand_letter",
        "Tender of March 24, 2023",
        2,
        "letter",
        name="2023-03-24 Castellane to Sandoval.pdf",
        scanned=_all_of(2),
        sideways=frozenset({2}),
    ),
    Exhibit("minutes", "Safety Committee, February 24, 2023", 3, "letter", scanned=frozenset({3})),
    Exhibit("bank_statement", "First Cascadia Mutual Bank", 2, "form", scanned=_all_of(2)),
    Exhibit("motion", "Motion for Partial Summary Judgment", 5, "pleading", "castellane"),
    Exhibit(
        "witness_statement",
        "Statement of Fiona O'Néill",
        2,
        "typewriter",
        name="O'Néill, exhibit #4 (100% final).pdf",
    ),
    Exhibit("dispatch_log", "Dispatch and telematics log", LOG_PAGES, "log"),
)


def numbered_exhibits() -> Iterator[tuple[int, Exhibit]]:
    """Each exhibit with the number of its first Bates label; the labels are consecutive over the
    production.
    """
    first_bates = 1
    for exhibit in EXHIBITS:
        yield first_bates, exhibit
        first_bates += exhibit.pages


def text_of(exhibit: Exhibit) -> str:
    """The marked-up text of an exhibit, as packaged."""
    source = resources.files("docpipe_assets.sample").joinpath("texts", f"{exhibit.text}.txt")
    return source.read_text(encoding="utf-8")
