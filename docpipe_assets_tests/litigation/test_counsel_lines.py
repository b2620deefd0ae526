"""Counsel lines: who acts for whom."""

import pytest

from docpipe_assets.litigation.counsel_lines import counsel


@pytest.mark.parametrize(
    ("text", "role", "attorneys", "client"),
    [
        (
            "Maria L. Ortega (SBN 204518)\nORTEGA & VANCE LLP\n"
            "Attorneys for Plaintiff ACUITY FREIGHT, INC.\n",
            "plaintiff",
            ["Maria L. Ortega", "ORTEGA & VANCE LLP"],
            "ACUITY FREIGHT, INC.",
        ),
        (
            "Respectfully submitted,\n/s/ James Holt\nHOLT BRANDT LLP\n"
            "Counsel for Defendants Wombat LLC\nand Douglas Pell\n",
            "defendant",
            ["James Holt", "HOLT BRANDT LLP"],
            "Douglas Pell",
        ),
        (
            "For the Plaintiff:\nORTEGA & VANCE LLP\nBY: MARIA ORTEGA, ESQ.\nALSO PRESENT: Tim Moss\n",
            "plaintiff",
            ["ORTEGA & VANCE LLP", "MARIA ORTEGA"],
            "Plaintiff",
        ),
        (
            "Ana Chen, Reno, NV, for the defendant-appellant.\n",
            "defendant-appellant",
            ["Ana Chen"],
            "defendant",
        ),
        ("Appellant represented by:\tJames Holt, Attorney\n", "appellant", ["James Holt"], "Appellant"),
        ("Then James Holt, counsel for Wombat LLC, stated his name.", None, ["James Holt"], "Wombat LLC"),
        ("Wombat LLC is represented by James Holt of Holt Brandt LLP.", None, ["James Holt"], "Wombat LLC"),
    ],
)
def test_counsel_lines_name_counsel_and_clients(
    text: str, role: str | None, attorneys: list[str], client: str
) -> None:
    (found,) = counsel(text)
    assert found.role == role
    assert all(name in text[slice(*found.attorneys)] for name in attorneys)
    assert client in text[slice(*found.client)]
    assert "Tim Moss" not in text[slice(*found.attorneys)]


def test_counsel_of_both_sides_in_one_line_are_distinguished() -> None:
    text = "Ana Chen, Reno, NV, for Plaintiff-Appellee. B. E. Boyle, Boyle & Moss, Reno, for Appellant.\n"
    first, second = counsel(text)
    assert text[slice(*first.attorneys)] == "Ana Chen, Reno, NV"
    assert text[slice(*second.attorneys)].strip() == "B. E. Boyle, Boyle & Moss, Reno"


def test_prose_before_a_counsel_line_is_not_the_signature_block() -> None:
    text = (
        "The driver Peter Varga was alone in the truck when it left the road near the depot in Reno.\n"
        "James Holt\nAttorney for Defendant Wombat LLC\n"
    )
    (found,) = counsel(text)
    assert text[slice(*found.attorneys)] == "James Holt\n"
