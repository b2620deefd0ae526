"""Sums up JUnit reports of several runs of one suite: what failed, what was left out and why, and the counts.

    python .ci/summary.py REPORT...

A test that one run left out and another ran counts by the run that ran it.
"""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter

PASSED, LEFT_OUT, FAILED = range(3)


def main(paths: list[str]) -> int:
    outcomes: dict[str, tuple[int, str]] = {}
    for path in paths:
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            outcome = _outcome(case)
            known = outcomes.get(name, (LEFT_OUT, ""))
            if outcome[0] == FAILED or known[0] == LEFT_OUT:
                outcomes[name] = outcome
    counts = Counter(outcome for outcome, _ in outcomes.values())
    print("\nsummary of all runs:")
    for name, (outcome, _) in outcomes.items():
        if outcome == FAILED:
            print(f"  failed: {name}")
    reasons = Counter(reason for outcome, reason in outcomes.values() if outcome == LEFT_OUT)
    for reason, count in reasons.most_common():
        print(f"  left out: {count}; {reason}")
    print(f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[LEFT_OUT]} skipped")
    return 1 if counts[FAILED] or not counts[PASSED] else 0


def _outcome(case: ElementTree.Element) -> tuple[int, str]:
    skipped = case.find("skipped")
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED, ""
    return (PASSED, "") if skipped is None else (LEFT_OUT, skipped.get("message") or "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
