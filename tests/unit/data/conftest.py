"""A folder in the place of the Hugging Face Hub."""

from pathlib import Path

import datasets
import pytest


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the hub's id is turned into, read by the real ``datasets.load_dataset``."""
    real = datasets.load_dataset
    monkeypatch.setattr(datasets, "load_dataset", lambda *_: real(str(tmp_path), cache_dir=str(tmp_path / "cache")))
    datasets.disable_progress_bars()
    return tmp_path
