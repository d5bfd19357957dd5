"""Refuse files over 2 MB: text, code, executed notebooks and results stay far below; trained weights are exempt."""

import sys
from pathlib import Path

LIMIT = 2_000_000  # bytes


def too_large(paths: list[str]) -> list[str]:
    """One line for each file over the limit."""
    sizes = ((path, Path(path).stat().st_size) for path in paths)
    return [f"{path}: {size / 1e6:.1f} MB, limit {LIMIT / 1e6:.0f} MB" for path, size in sizes if size > LIMIT]


if __name__ == "__main__":
    sys.exit("\n".join(too_large(sys.argv[1:])) or 0)
