"""One file per paper, readable alone."""
