"""Real text, ready to train on: ``load(name)`` gives a ``datasets.DatasetDict`` with known columns and fixed splits.

    >>> snippets = load("movie-snippets")
    >>> snippets["test"][0]
    {'text': '…', 'score': 2.3, 'label': 1}

What is loaded comes from installed packages, so it needs no network and is the same on every machine.
``card(name)`` tells licence, source, what was removed, and limits.
"""

from types import ModuleType
from typing import Final

import datasets
from datasets import Dataset, DatasetDict, Features, NamedSplit

from qkv.assets import QkvError, near_matches
from qkv.data import (
    bible_pairs,
    brown,
    cmudict,
    editorials,
    gutenberg,
    movie_snippets,
    ner_tweets,
    news_headlines,
    product_reviews,
    running_text,
    state_of_the_union,
    trec,
    tweets,
    wikipedia_sample,
    word_similarity,
    wordnet_senses,
)
from qkv.data.cards import DataCard
from qkv.data.hub_sets import HUB_SETS

__all__ = ["HUB_SETS", "DataCard", "HubError", "UnknownDatasetError", "card", "catalogue", "load"]

_MODULES: Final[tuple[ModuleType, ...]] = (
    bible_pairs,
    brown,
    cmudict,
    editorials,
    gutenberg,
    movie_snippets,
    ner_tweets,
    news_headlines,
    product_reviews,
    running_text,
    state_of_the_union,
    trec,
    tweets,
    wikipedia_sample,
    word_similarity,
    wordnet_senses,
)
_SETS: Final[dict[str, ModuleType]] = {module.CARD.name: module for module in _MODULES}


class UnknownDatasetError(QkvError, LookupError):
    """No data set has that name."""


class HubError(QkvError):
    """The data set cannot be had from the Hugging Face Hub; the text names the packaged one."""


def load(name: str, source: str = "packaged") -> DatasetDict:
    """A data set by name, with the splits and columns that its card documents.

    Args:
        name: one of ``catalogue()``.
        source: ``"packaged"`` reads an installed package, offline, always the same rows; ``"hub"`` fetches the closest
            full-size set from the Hugging Face Hub and gives it the same columns.  A name in ``HUB_SETS``, such as
            "squad", is on the hub alone.

    Raises:
        UnknownDatasetError: no set has that name; the text lists near matches.
        ValueError: ``source`` is neither of the two.
        qkv.assets.AssetError: the package is missing or its file is not the expected one.
        HubError: the set has no counterpart on the hub, or the hub cannot be reached.
    """
    if source == "hub" and name in HUB_SETS:
        only = HUB_SETS[name]
        return DatasetDict(only.from_hub(_fetch(only.hub_id, only.hub_config, only.instead)))
    module = _module(name)
    if source == "packaged":
        return DatasetDict({split: _dataset(rows, module.FEATURES, split) for split, rows in module.read().items()})
    if source == "hub":
        wanted, packaged = module.CARD, f'load("{name}")'
        if wanted.hub_id is None:
            raise HubError(f"{name} has no counterpart on the hub. {wanted.hub_note} Use {packaged}.")
        hub = _fetch(wanted.hub_id, wanted.hub_config, f"The packaged set is offline: {packaged}.")
        return DatasetDict(module.from_hub(hub))
    raise ValueError(f"source must be 'packaged' or 'hub', got {source!r}")


def catalogue() -> dict[str, DataCard]:
    """Every data set: name → its card."""
    return {name: module.CARD for name, module in _SETS.items()}


def card(name: str) -> str:
    """The data card as Markdown.

    Raises:
        UnknownDatasetError: no set has that name; the text lists near matches.
    """
    return _module(name).CARD.markdown()


def _module(name: str) -> ModuleType:
    if name in HUB_SETS:
        raise UnknownDatasetError(f'{name} is on the hub alone: load("{name}", source="hub"). {HUB_SETS[name].instead}')
    if name not in _SETS:
        raise UnknownDatasetError(f"there is no data set {name!r}; {near_matches(name, _SETS)}")
    return _SETS[name]


def _dataset(rows: list[dict], features: Features, split: str) -> Dataset:
    columns = {column: [row[column] for row in rows] for column in features}
    return Dataset.from_dict(columns, features=features, split=NamedSplit(split))


def _fetch(hub_id: str, hub_config: str | None, instead: str) -> DatasetDict:
    try:
        return datasets.load_dataset(hub_id, hub_config)
    except OSError as error:
        raise HubError(f"{hub_id} cannot be fetched: {error}. {instead}") from error
