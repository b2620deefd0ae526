"""Page elements outside the body text: stamps, legends, headers, footers."""
