"""One training loop, knowing no model."""
