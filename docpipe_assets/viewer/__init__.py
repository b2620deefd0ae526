"""Shows the evidence: places on rendered pages."""
