"""The engine ``rapidocr`` with its networks on OpenVINO: less CPU, more memory (extra ``openvino``)."""

from docpipe_assets.engines.ocr.rapidocr import RapidOcr
from docpipe_assets.lazy import lazy
from docpipe_assets.protocols import Line, PageImage


class RapidOcrOnOpenVino:
    """Raises ConfigurationError at first use if OpenVINO is not installed."""

    name = "rapidocr_openvino"

    @lazy
    def version(self) -> str:
        return self._engine.version

    @lazy
    def _engine(self) -> RapidOcr:
        return RapidOcr(backend="openvino")

    def read(self, image: PageImage) -> tuple[Line, ...]:
        return self._engine.read(image)
