"""The test split: pages with texts written for it, typeset and degraded by recipes. Not used for tuning."""

import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from docpipe_assets_tests.evaluation.ocr import layouts
from docpipe_assets_tests.evaluation.ocr.generated_set import Sample, aged
from docpipe_assets_tests.evaluation.ocr.layouts import Type
from docpipe_assets_tests.evaluation.ocr.sheet import Sheet

FOLDER = Path(__file__).parent / "split"
LANDSCAPE = (792.0, 612.0)


def split_pages() -> Iterator[Sample]:
    """Every page of the split; raises DoesNotFit if a text does not fit on its page."""
    for number, recipe in enumerate(recipes(), start=1):
        texts = [(FOLDER / f"{name}.txt").read_text("utf-8") for name in recipe["texts"]]
        name = f"{number:02d}-{'-'.join(recipe['texts'])}"
        turns = recipe.get("quarter_turns", 0)
        yield aged(
            recipe["kind"], name, _sheet(recipe, texts), recipe["condition"], recipe["dpi"], number, turns
        )


def recipes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((FOLDER / "recipes.toml").read_text("utf-8"))["page"]
    return found


def _sheet(recipe: dict[str, Any], texts: list[str]) -> Sheet:
    type_ = Type(recipe["font"], recipe["size"])
    sets: dict[str, Callable[[str, Type], Sheet]] = {
        "prose": layouts.prose,
        "pleading": layouts.pleading,
        "transcript": layouts.transcript,
        "form": layouts.form,
        "columns": lambda text, of: layouts.columns(text, of, recipe["columns"]),
    }
    set_ = sets[recipe["layout"]]
    if len(texts) > 1:
        return layouts.two_up(texts, type_, set_)
    if recipe["kind"] == "landscape":
        set_ = partial(layouts.prose, size=LANDSCAPE, margin=40)
    elif recipe["kind"] == "tables":
        set_ = partial(layouts.prose, margin=50)
    return set_(texts[0], type_)
