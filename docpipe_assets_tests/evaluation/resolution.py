"""Score the resolution of names: python -m docpipe_assets_tests.evaluation.resolution --data PATH...

A ``.json`` file holds documents in the format of Re-DocRED: ``vertexSet`` lists entities, each a list
of mentions with ``name`` and ``type``. Scored are pairs of mentions within a document, precision and
recall of "same entity". A ``.csv`` file holds pairs of names with ``is_match``.
"""

import argparse
import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path

from docpipe_assets.entities.name_groups import Name, name_groups
from docpipe_assets.entities.names import OrganisationName, PersonName, place_key

PARSERS: dict[str, Callable[[str], Name | None]] = {"PER": PersonName.parse, "ORG": OrganisationName.parse}
SCHEMAS = {
    "Person": "PER",
    "Company": "ORG",
    "Organization": "ORG",
}


def groups_of(entity_type: str, forms: Iterable[str]) -> dict[str, object]:
    """The group of each form."""
    counts = Counter(forms)
    if entity_type == "LOC":
        return {form: place_key(form) for form in counts}
    found = name_groups(counts, PARSERS[entity_type])
    return {form: index for index, group in enumerate(found) for form in group.reasons}


def score_documents(path: Path, entity_type: str) -> str:
    together = same = right = 0
    for document in json.loads(path.read_text()):
        mentions = [
            (index, " ".join(mention["name"].split()))
            for index, entity in enumerate(document["vertexSet"])
            for mention in entity
            if mention["type"] == entity_type
        ]
        group = groups_of(entity_type, [name for _, name in mentions])
        for (one, form), (other, other_form) in combinations(mentions, 2):
            is_same, is_together = one == other, group[form] == group[other_form]
            same, together, right = same + is_same, together + is_together, right + (is_same and is_together)
    return f"{path.name} {entity_type}: {_figures(right, together, same)}, {same} pairs"


def score_pairs(path: Path, schema: str) -> str:
    together = same = right = 0
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["schema"] != schema:
                continue
            parse = PARSERS[SCHEMAS[schema]]
            one, other = parse(row["name1"]), parse(row["name2"])
            is_together = (
                one is not None and other is not None and one.reason_if_compatible(other) is not None
            )
            is_same = row["is_match"] == "true"
            same, together, right = same + is_same, together + is_together, right + (is_same and is_together)
    return f"{path.name} {schema}: {_figures(right, together, same)}, {same} pairs"


def _figures(right: int, together: int, same: int) -> str:
    precision, recall = right / max(together, 1), right / max(same, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return f"P {precision:.1%} R {recall:.1%} F {f1:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    for path in parser.parse_args().data:
        if path.suffix == ".csv":
            lines = [score_pairs(path, schema) for schema in SCHEMAS]
        else:
            lines = [score_documents(path, entity_type) for entity_type in (*PARSERS, "LOC")]
        print("\n".join(lines))


if __name__ == "__main__":
    main()
