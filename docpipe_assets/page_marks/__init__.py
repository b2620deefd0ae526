"""What is on a page but not of its body: stamps, legends, headers, footers."""
