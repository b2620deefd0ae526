"""The outcomes as a Markdown table."""

from docpipe_assets_tests.hostile.kinds import Kind
from docpipe_assets_tests.hostile.processing import Outcome

HEAD = "| file | what it is | outcome | flags | CPU s | wall s | peak MiB |\n|---|---|---|---|---:|---:|---:|"


def row(kind: Kind, outcome: Outcome) -> str:
    code = outcome.code if outcome.code in kind.outcomes else f"**{outcome.code}**"
    flags = ", ".join(outcome.flags[:4]) + (" ..." if len(outcome.flags) > 4 else "")
    figures = f"{outcome.cpu_seconds:.2f} | {outcome.wall_seconds:.2f} | {outcome.peak_mebibytes:.0f}"
    return f"| {kind.name} | {kind.what} | {code} | {flags} | {figures} |"
