"""PDF libraries, each for what it does best: qpdf splits, PDFium renders, PyMuPDF reads and repairs."""
