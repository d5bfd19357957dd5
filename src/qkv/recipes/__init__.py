"""Experiments that measure the claims of papers: one module each, run again by ``python -m qkv run``."""
