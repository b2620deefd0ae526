"""The people and companies of the fictional case.

All of them are invented, as are the towns; telephone numbers are from the 555 range reserved for fiction and
mail domains from the names reserved for examples.
"""

from dataclasses import dataclass

COURT_LINES = (
    "IN THE UNITED STATES DISTRICT COURT",
    "FOR THE WESTERN DISTRICT OF WASHINGTON",
    "AT SEATTLE",
)
CASE_NUMBER = "2:24-cv-01187-JRW"
JUDGE = "The Honorable Jocelyn R. Wetherby"
PLAINTIFFS = (
    "MARISOL T. QUINTRELL, an individual; and CALDERA COLD STORAGE, LLC, a Washington limited liability "
    "company,"
)
DEFENDANTS = (
    "HARBOR POINT LOGISTICS, LLC, an Oregon limited liability company; BRANNOCK FLEET SERVICES, INC., "
    "an Oregon corporation; and DENNIS R. LUNDQUIST, an individual,"
)
BATES_PREFIX = "CALDERA"


@dataclass(frozen=True)
class Person:
    """A person in the documents, under the full name; the texts also use shorter and inverted forms."""

    name: str
    role: str


@dataclass(frozen=True)
class Counsel:
    """A law firm with the lines of its signature block."""

    firm: str
    attorneys: tuple[tuple[str, str], ...]
    address_lines: tuple[str, ...]
    phone: str
    clients: str

    def block_lines(self, dated: str) -> list[str]:
        """The signature block at the foot of a pleading."""
        signer = self.attorneys[0][0]
        lines = [f"DATED this {dated}.", "", self.firm.upper(), "", f"By: s/ {signer}"]
        for name, bar_number in self.attorneys:
            lines.append(f"{name}, WSBA No. {bar_number}")
        lines.extend(self.address_lines)
        lines.append(f"Telephone: {self.phone}")
        lines.append(f"Attorneys for {self.clients}")
        return lines


PEOPLE = (
    Person("Marisol T. Quintrell", "plaintiff, dock supervisor at Caldera Cold Storage"),
    Person("Dennis R. Lundquist", "defendant, driver for Harbor Point Logistics"),
    Person("Helena M. Brightwater", "chief executive of Caldera Cold Storage"),
    Person("Stuart K. Abernethy", "chief financial officer of Caldera Cold Storage"),
    Person("Fiona O'Néill", "forklift operator at Caldera Cold Storage, eyewitness"),
    Person("Curtis L. Mandeville", "director of safety at Harbor Point Logistics"),
    Person("Yolanda F. Priddy", "dispatcher at Harbor Point Logistics"),
    Person("Everett B. Sandoval", "president of Harbor Point Logistics"),
    Person("Nadine C. Holbrook", "service manager at Brannock Fleet Services"),
    Person("Oleg D. Tarasenko", "brake mechanic at Brannock Fleet Services"),
    Person("Margaret A. Whitlow", "orthopedic surgeon at Fennimore Valley Medical Center"),
    Person("Anselm J. Petrakis", "reconstruction expert of the plaintiffs"),
    Person("Tobias N. Yarrow", "officer of the Ellsmoor Police Department"),
    Person("Renata V. Castellane", "counsel for the plaintiffs"),
    Person("Priya S. Venkataraghavan", "counsel for Harbor Point Logistics and the driver"),
    Person("Gerald W. Ashcombe", "counsel for Brannock Fleet Services"),
    Person("Jocelyn R. Wetherby", "district judge"),
)

COMPANIES = (
    "Caldera Cold Storage, LLC",
    "Harbor Point Logistics, LLC",
    "Brannock Fleet Services, Inc.",
    "Silverfen Foods Cooperative",
    "Fennimore Valley Medical Center",
    "Petrakis Forensic Engineering, Inc.",
    "First Cascadia Mutual Bank",
)

COUNSEL = {
    "castellane": Counsel(
        firm="Castellane Hargreave PLLC",
        attorneys=(("Renata V. Castellane", "41877"), ("Ioan P. Hargreave", "50216")),
        address_lines=("1420 Tideflat Avenue, Suite 900", "Ellsmoor, Washington 98299"),
        phone="(360) 555-0118",
        clients="Plaintiffs Marisol T. Quintrell and Caldera Cold Storage, LLC",
    ),
    "dunmore": Counsel(
        firm="Dunmore, Oakes & Tilley LLP",
        attorneys=(("Priya S. Venkataraghavan", "38450"), ("Lionel G. Tilley", "29931")),
        address_lines=("77 Grain Exchange Place, Floor 12", "Port Alden, Oregon 97299"),
        phone="(503) 555-0164",
        clients="Defendants Harbor Point Logistics, LLC and Dennis R. Lundquist",
    ),
    "ashcombe": Counsel(
        firm="Ashcombe Pryor P.S.",
        attorneys=(("Gerald W. Ashcombe, Jr.", "22508"),),
        address_lines=("305 Old Cannery Road", "Fennimore, Washington 98298"),
        phone="(360) 555-0177",
        clients="Defendant Brannock Fleet Services, Inc.",
    ),
}
