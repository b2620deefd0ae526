"""The workbench makes of the settings what they say."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from docpipe_assets.settings import Settings
from docpipe_assets.workbench import Workbench

GIGABYTE = 2**30
HAS_OPENVINO = find_spec("openvino") is not None


def engine(folder: Path, **chosen: Any) -> str:
    return Workbench(Settings(data_dir=folder, **chosen)).ocr.name


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ({}, "rapidocr"),
        ({"run_memory_bytes": 4 * GIGABYTE, "ocr_backend": "onnxruntime"}, "rapidocr"),
        ({"ocr_engine": "tesseract", "run_memory_bytes": 4 * GIGABYTE}, "tesseract"),
        ({"run_memory_bytes": 4 * GIGABYTE}, "rapidocr_openvino" if HAS_OPENVINO else "rapidocr"),
    ],
)
def test_the_back_end_of_ocr_follows_from_the_settings_and_the_memory(
    tmp_path: Path, chosen: dict[str, Any], name: str
) -> None:
    assert engine(tmp_path, **chosen) == name


@pytest.mark.skipif(not HAS_OPENVINO, reason="needs the extra openvino")
def test_a_back_end_that_is_set_is_taken_whatever_the_memory(tmp_path: Path) -> None:
    assert engine(tmp_path, ocr_backend="openvino") == "rapidocr_openvino"
