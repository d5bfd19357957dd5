"""Recipes that begin from published weights, at a size of seconds: what stands in for weights and texts."""

import pytest

from qkv.recipes import transfer_tasks


@pytest.fixture
def stand_in(monkeypatch):
    """A function that puts small models and texts of the test's own in the place of the published ones.

    ``caches`` are functions that remember: they forget before the test and after it.
    """
    remembered = []

    def replace(sources, rows, modules, caches):
        remembered.extend([transfer_tasks.splits, *caches])
        for cached in remembered:
            cached.cache_clear()
        monkeypatch.setattr(transfer_tasks, "load", rows)
        for module in modules:
            monkeypatch.setattr(module, "source", sources.__getitem__)
        return sources

    yield replace
    for cached in remembered:
        cached.cache_clear()
