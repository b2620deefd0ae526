"""Captions in the layouts of several courts."""

import pytest

from docpipe_assets.litigation.captions import PartySpan, captions, first_role, role_of, roles_before_names

CALIFORNIA = """\
ACUITY FREIGHT, INC., a Delaware      ) Case No. 4:23-cv-01877-KLM
corporation,                          )
            Plaintiff,                ) COMPLAINT FOR BREACH OF
     v.                               ) CONTRACT
WOMBAT LOGISTICS LLC, a Nevada        )
limited liability company; and        ) Judge: Hon. Karen L. Moss
DOUGLAS R. PELL, an individual,       )
            Defendants.               )
"""
TEXAS = """\
CAUSE NO. 2022-48813
JANE ROE, Individually and as Next Friend of T.R.,   §   IN THE DISTRICT COURT OF
Plaintiff                                §
vs.                                      §   HARRIS COUNTY, TEXAS
BAYSIDE MEDICAL CENTER and DR. ALAN COLE,  §
Defendants                               §   164TH JUDICIAL DISTRICT
"""
NEW_YORK = """\
SUPREME COURT OF THE STATE OF NEW YORK
COUNTY OF KINGS
----------------------------------------x
HELEN VARGA and PETER VARGA,
                    Plaintiffs,
        -against-                       Index No. 512345/2021
LARKSPUR HOUSING CORP. and CITY OF RENO,
                    Defendants.
----------------------------------------x
"""
PETITION = (
    "SUPREME COURT OF THE UNITED STATES\nNo. 10-1259\nUNITED STATES, PETITIONER v. ANTOINE VARGA\non writ\n"
)
APPEAL = (
    "PETER VARGA, Plaintiff-Appellee,\nv.\nLarkspur Corp., aka Larkspur, Defendant-Appellant.\nNo. 07-5025.\n"
)
CRIMINAL = """\
UNITED STATES of America
v.
Aleksey VARGA, a/k/a Alexey Varga
No. 3:00CR00183(AWT).
United States District Court, D. Connecticut.
Shawn Chen, New Haven, CT, for defendant.
"""


def text_of(text: str, side: PartySpan) -> str:
    return " ".join(" ".join(text[start:end].split()) for start, end in side.pieces)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        (
            CALIFORNIA,
            ("plaintiff", ["ACUITY FREIGHT"]),
            ("defendant", ["WOMBAT LOGISTICS", "DOUGLAS R. PELL"]),
        ),
        (TEXAS, ("plaintiff", ["JANE ROE"]), ("defendant", ["BAYSIDE MEDICAL CENTER", "DR. ALAN COLE"])),
        (NEW_YORK, ("plaintiff", ["HELEN VARGA"]), ("defendant", ["LARKSPUR", "CITY OF RENO"])),
        (PETITION, ("petitioner", ["UNITED STATES"]), ("respondent", ["ANTOINE VARGA"])),
        (CRIMINAL, (None, ["UNITED STATES"]), (None, ["Aleksey VARGA"])),
        (APPEAL, ("plaintiff-appellee", ["PETER VARGA"]), ("defendant-appellant", ["Larkspur Corp."])),
    ],
)
def test_a_caption_gives_both_sides_with_their_roles(
    text: str, left: tuple[str | None, list[str]], right: tuple[str | None, list[str]]
) -> None:
    (caption,) = captions(text)
    for side, (role, names) in ((caption.left, left), (caption.right, right)):
        assert side.role == role
        assert all(name in text_of(text, side) for name in names)
        assert "Chen" not in text_of(text, side)
    assert caption.has_roles == (left[0] is not None)


def test_the_right_hand_column_names_no_party() -> None:
    (caption,) = captions(CALIFORNIA)
    assert "Moss" not in text_of(CALIFORNIA, caption.right)
    (caption,) = captions(TEXAS)
    assert "HARRIS" not in text_of(TEXAS, caption.left) + text_of(TEXAS, caption.right)


def test_a_running_line_is_a_caption_without_roles() -> None:
    text = "Acuity Freight, Inc. v. Wombat Logistics LLC\nDeposition of Douglas Pell\n"
    (caption,) = captions(text)
    assert not caption.has_roles
    assert (text_of(text, caption.left), text_of(text, caption.right)) == (
        "Acuity Freight, Inc.",
        "Wombat Logistics LLC",
    )


@pytest.mark.parametrize(
    "text",
    [
        "The court followed Moss v. Varga, 517 F.3d 1154 (9th Cir. 2008), in full.",
        "Moss v. Varga, 517 F.3d 1154 (2008)",
        "as the court in Moss v. Varga said on appeal",
        "Judgment was entered for Plaintiff against the carrier, a Defendant.",
        "The carrier rules against overtime.",
        "A switch (12 v. 24 volts)",
    ],
)
def test_a_cited_case_or_plain_prose_is_not_a_caption(text: str) -> None:
    assert list(captions(text)) == []


def test_text_above_the_parties_does_not_belong_to_the_caption() -> None:
    text = "Judges: Farris, Moss\n\n517 F.3d 1154 (2008)\nPETER VARGA, Appellant,\nv.\nANA CHEN, Appellee.\n"
    (caption,) = captions(text)
    assert text_of(text, caption.left) == "PETER VARGA,"


def test_a_role_before_a_name_is_found_but_not_a_heading_above_counsel() -> None:
    text = "Plaintiff Acuity Freight sued. For the Defendants:\nHOLT BRANDT LLP\n"
    assert [(role, text[start:][:9], text[name:][:6]) for role, start, name in roles_before_names(text)] == [
        ("plaintiff", "Plaintiff", "Acuity")
    ]


@pytest.mark.parametrize(
    ("text", "role", "side"),
    [
        ("Plaintiffs", "plaintiff", "plaintiff"),
        ("DEFENDANT(S)", "defendant", "defendant"),
        ("Plaintiffs-Appellees", "plaintiff-appellee", "plaintiff"),
        ("Defendant and Appellant", "defendant-appellant", "defendant"),
        ("Third-Party Defendants", "third-party defendant", "third-party defendant"),
        ("Cross-Complainant", "cross-complainant", "cross-complainant"),
        ("Plaintiff/Counter-Defendant", "plaintiff-counter-defendant", "plaintiff"),
    ],
)
def test_roles_are_normalized(text: str, role: str, side: str) -> None:
    assert role_of(text) == role
    assert first_role(role) == side
