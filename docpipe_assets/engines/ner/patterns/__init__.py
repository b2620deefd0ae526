"""Dates, money, e-mail, phone, dockets, statutes, courts, Bates labels and addresses by regular
expressions.
"""

from collections.abc import Iterator

from docpipe_assets.engines.ner.patterns.contacts import CONTACTS
from docpipe_assets.engines.ner.patterns.courts import COURTS
from docpipe_assets.engines.ner.patterns.dates import DATES
from docpipe_assets.engines.ner.patterns.numbers import BATES, DOCKETS
from docpipe_assets.engines.ner.patterns.rule import Rule, span_of
from docpipe_assets.engines.ner.patterns.statutes import STATUTES
from docpipe_assets.engines.ner.patterns.sums import SUMS
from docpipe_assets.model import EntityType, FoundName
from docpipe_assets.protocols import NameContext

CODE_VERSION = "1"

RULES: tuple[Rule, ...] = (*CONTACTS, *STATUTES, *COURTS, *DOCKETS, *BATES, *SUMS, *DATES)

# If two types match the same characters, the type that is less likely to match by chance wins.
_RANKS = {
    entity_type: rank
    for rank, entity_type in enumerate(
        (
            EntityType.EMAIL,
            EntityType.STATUTE,
            EntityType.COURT,
            EntityType.ADDRESS,
            EntityType.MONEY,
            EntityType.DATE,
            EntityType.DOCKET_NUMBER,
            EntityType.PHONE,
            EntityType.BATES,
        )
    )
}


class PatternNer:
    """Finds the regular types. Results never overlap: certain readings first, then rank, then length."""

    name = "patterns"
    version = CODE_VERSION

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        claims: list[FoundName] = []
        lowered = text.lower()
        for rule in RULES:
            if rule.cues and not any(cue in lowered for cue in rule.cues):
                continue
            for match in rule.pattern.finditer(text):
                reading = rule.read(match)
                if reading is not None:
                    value, score = reading
                    claims.append(FoundName(*span_of(match), rule.type, score, self.name, value))
        yield from _without_overlaps(claims)


def _order(claim: FoundName) -> tuple[bool, int, int, int]:
    # An uncertain reading never displaces a certain one, whatever their types.
    return (claim.score < 0.8, _RANKS[claim.type], claim.start - claim.end, claim.start)


def _without_overlaps(claims: list[FoundName]) -> list[FoundName]:
    kept: list[FoundName] = []
    taken: set[int] = set()
    for claim in sorted(claims, key=_order):
        characters = range(claim.start, claim.end)
        if taken.isdisjoint(characters):
            taken.update(characters)
            kept.append(claim)
    return sorted(kept)
