"""Group the name forms of one document by whom they name: order-independent, and each with its reason."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

# Where a name fits several groups, one that it fits better than by these still takes it: "Chen" is
# Maria Chen rather than Chen Wei.
_WEAK_AGREEMENTS = frozenset({"first words", "first name", "short first name", "first of two last names"})


class Name(Protocol):
    """A parsed name. It is compared only with names that are known by one of the words it seeks."""

    @property
    def fullness(self) -> int: ...

    @property
    def known_by(self) -> frozenset[str]: ...

    @property
    def sought_by(self) -> frozenset[str]: ...

    def agreement(self, other: Self, /) -> str | None: ...


@dataclass(frozen=True)
class NameGroup:
    """Forms that name the same one: ``name`` is the fullest; ``reasons`` tells why each form is here."""

    name: str
    reasons: Mapping[str, str]


@dataclass
class _Growing:
    """A group while names join it: the parsed names, and the text of the first and fullest."""

    lead: str
    names: list[Name]
    reasons: dict[str, str]


def name_groups(counts: Mapping[str, int], parse: Callable[[str], Name | None]) -> list[NameGroup]:
    """Group forms, given with their number of mentions.

    Names come from the fullest to the shortest. A name joins the group none of whose names it
    contradicts; where several groups would do equally well it stays by itself, as ambiguous.
    """
    texts_by_name: dict[Name, list[str]] = defaultdict(list)
    unparsed: list[NameGroup] = []
    for text in sorted(counts):
        name = parse(text)
        if name is None:
            unparsed.append(NameGroup(text, {text: "no name could be made out"}))
        else:
            texts_by_name[name].append(text)
    variants = [(name, sorted(texts, key=_fullest_first(counts))) for name, texts in texts_by_name.items()]
    variants.sort(key=lambda v: (-v[0].fullness, -sum(counts[t] for t in v[1]), v[1][0]))
    groups: list[_Growing] = []
    groups_by_word: dict[str, dict[int, _Growing]] = defaultdict(dict)
    for name, texts in variants:
        _join(name, texts, groups, groups_by_word)
    return [NameGroup(g.lead, g.reasons) for g in groups] + unparsed


def _fullest_first(counts: Mapping[str, int]) -> Callable[[str], tuple[bool, bool, int, int, str]]:
    """How forms with the same parts are ordered: as one would write the name comes first."""
    return lambda text: (text.isupper() or text.islower(), "," in text, -counts[text], -len(text), text)


def _join(
    name: Name, texts: list[str], groups: list[_Growing], groups_by_word: dict[str, dict[int, _Growing]]
) -> None:
    fits = _fits(name, groups_by_word)
    strong = [fit for fit in fits if fit[1] not in _WEAK_AGREEMENTS]
    fits = strong or fits
    if len(fits) == 1:
        group, agreement = fits[0]
        group.names.append(name)
        reason = f"{agreement}: {group.lead}"
    else:
        group = _Growing(texts[0], [name], {})
        groups.append(group)
        reason = "fullest form"
        if fits:
            reason = "ambiguous: could be " + " or ".join(sorted(g.lead for g, _ in fits)[:4])
    for index, text in enumerate(texts):
        group.reasons[text] = reason if index == 0 or group.lead != texts[0] else f"same name: {texts[0]}"
    for word in name.known_by:
        groups_by_word[word][id(group)] = group


def _fits(name: Name, groups_by_word: Mapping[str, Mapping[int, _Growing]]) -> list[tuple[_Growing, str]]:
    """The groups that the name may join, with the agreement with each group's fullest name."""
    candidates: dict[int, _Growing] = {}
    for word in name.sought_by:
        candidates.update(groups_by_word.get(word, {}))
    fits = []
    for group in candidates.values():
        agreements = [name.agreement(member) for member in group.names]
        if None not in agreements:
            fits.append((group, agreements[0] or ""))
    return fits
