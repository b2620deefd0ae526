"""PDF libraries by task: qpdf splits, PDFium renders, PyMuPDF reads and repairs."""
