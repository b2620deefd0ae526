"""Pages with an exact ground truth to evaluate OCR engines: see README.md."""
