"""Groups the name forms of a document by the person or organisation: order-independent, each with
its reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from docpipe_assets.entities.names import WEAK_REASONS


class Name(Protocol):
    """A parsed name. It is compared only with names that are known by one of its ``sought_by`` words."""

    @property
    def fullness(self) -> int:
        """Completeness of the name, for sorting: the fullest name is processed first."""

    @property
    def known_by(self) -> frozenset[str]:
        """The words under which other names find this one."""

    @property
    def sought_by(self) -> frozenset[str]:
        """The words under which this name looks for others."""

    def reason_if_compatible(self, other: Self, /) -> str | None:
        """The reason why the two may be the same, or None if they contradict each other."""


@dataclass(frozen=True)
class NameGroup:
    """Forms of one name: ``name`` is the fullest; ``reasons`` contains the reason for each form."""

    name: str
    reasons: Mapping[str, str]


@dataclass(slots=True)
class _GroupBuilder:
    """A group under construction: the fullest text, the parsed names, and the words by which the group is
    found.
    """

    lead: str
    names: tuple[Name, ...]
    reasons: tuple[tuple[str, str], ...] = ()
    known_by: tuple[str, ...] = ()


def name_groups(counts: Mapping[str, int], parse: Callable[[str], Name | None]) -> list[NameGroup]:
    """Group forms, given with their number of mentions.

    Names are processed from the fullest to the shortest. A name joins a group if it contradicts none of its
    names; if several groups fit equally well, it stays separate, as ambiguous.
    """
    # Tuples, because there may be a hundred thousand of each, nearly all with a single item.
    texts_by_name: dict[Name, tuple[str, ...]] = {}
    unparsed: list[NameGroup] = []
    for text in sorted(counts):
        name = parse(text)
        if name is None:
            unparsed.append(NameGroup(text, {text: "no name could be made out"}))
        else:
            texts_by_name[name] = (*texts_by_name.get(name, ()), text)
    variants = [
        (name, tuple(sorted(texts, key=_fullest_first(counts)))) for name, texts in texts_by_name.items()
    ]
    del texts_by_name
    variants.sort(key=lambda v: (-v[0].fullness, -sum(counts[t] for t in v[1]), v[1][0]))
    groups: list[_GroupBuilder] = []
    groups_by_word: dict[str, list[_GroupBuilder]] = {}
    for name, texts in variants:
        _join(name, texts, groups, groups_by_word)
    return [NameGroup(g.lead, dict(g.reasons)) for g in groups] + unparsed


def _fullest_first(counts: Mapping[str, int]) -> Callable[[str], tuple[bool, bool, int, int, str]]:
    """Sort key of forms with the same parts: the standard spelling first."""
    return lambda text: (text.isupper() or text.islower(), "," in text, -counts[text], -len(text), text)


def _join(
    name: Name,
    texts: Sequence[str],
    groups: list[_GroupBuilder],
    groups_by_word: dict[str, list[_GroupBuilder]],
) -> None:
    fits = _fits(name, groups_by_word)
    strong = [fit for fit in fits if fit[1] not in WEAK_REASONS]
    fits = strong or fits
    if len(fits) == 1:
        group, why = fits[0]
        group.names = (*group.names, name)
        reason = f"{why}: {group.lead}"
    else:
        group = _GroupBuilder(texts[0], (name,))
        groups.append(group)
        reason = "fullest form"
        if fits:
            reason = "ambiguous: could be " + " or ".join(sorted(g.lead for g, _ in fits)[:4])
    group.reasons += tuple(
        (text, reason if index == 0 or group.lead != texts[0] else f"same name: {texts[0]}")
        for index, text in enumerate(texts)
    )
    for word in name.known_by.difference(group.known_by):
        groups_by_word.setdefault(word, []).append(group)
        group.known_by += (word,)


def _fits(
    name: Name, groups_by_word: Mapping[str, Sequence[_GroupBuilder]]
) -> list[tuple[_GroupBuilder, str]]:
    """The groups that the name may join, with the reason from the fullest name of each."""
    candidates = {id(group): group for word in name.sought_by for group in groups_by_word.get(word, ())}
    fits = []
    for group in candidates.values():
        reasons = [name.reason_if_compatible(member) for member in group.names]
        if None not in reasons:
            fits.append((group, reasons[0] or ""))
    return fits
