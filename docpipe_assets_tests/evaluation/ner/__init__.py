"""Our own labelled litigation documents, and how well the shipped name engines do on them."""
