"""Which experiments there are.  Importing one loads torch, so names and modules are kept apart."""

from importlib import import_module
from typing import cast

from qkv.recipes.protocol import Recipe
from qkv.recipes.result import ResultError

MODULES = {
    "dk-scaling": "qkv.recipes.dk_scaling",
    "mutants-train": "qkv.recipes.mutants_train",
    "pronunciation": "qkv.recipes.pronunciation",
    "positions": "qkv.recipes.positions",
    "learned-positions": "qkv.recipes.learned_positions",
    "head-removal": "qkv.recipes.head_removal",
    "num-heads": "qkv.recipes.num_heads",
    "label-smoothing": "qkv.recipes.label_smoothing",
    "warmup": "qkv.recipes.warmup",
    "length-extrapolation": "qkv.recipes.length_extrapolation",
    "translation": "qkv.recipes.translation",
    "activations": "qkv.recipes.activations",
    "headlines": "qkv.recipes.headlines",
    "batch-size": "qkv.recipes.batch_size",
    "depth": "qkv.recipes.depth",
    "decoder-only": "qkv.recipes.decoder_only",
    "width": "qkv.recipes.width",
    "dropout": "qkv.recipes.dropout",
    "averaging": "qkv.recipes.averaging",
    "beam": "qkv.recipes.beam",
    "gpt-lm": "qkv.recipes.gpt_lm",
    "elmo-lm": "qkv.recipes.elmo_lm",
    "elmo-labels": "qkv.recipes.elmo_labels",
    "look-ahead": "qkv.recipes.look_ahead",
    "ulmfit-lm": "qkv.recipes.ulmfit_lm",
    "ulmfit-curves": "qkv.recipes.ulmfit_curves",
    "ulmfit-ablations": "qkv.recipes.ulmfit_ablations",
    "ulmfit-both-ways": "qkv.recipes.ulmfit_both_ways",
    "bert-layers": "qkv.recipes.bert_layers",
    "bert-mlm": "qkv.recipes.bert_mlm",
    "bert-tasks": "qkv.recipes.bert_tasks",
    "budget": "qkv.recipes.budget",
    "transfer-pilot": "qkv.recipes.transfer_pilot",
    "gpt-pairs": "qkv.recipes.gpt_pairs",
    "gpt-layers": "qkv.recipes.gpt_layers",
    "gpt-parts": "qkv.recipes.gpt_parts",
    "senses": "qkv.recipes.senses",
    "elmo-layers": "qkv.recipes.elmo_layers",
    "right-context": "qkv.recipes.right_context",
    "unmasked": "qkv.recipes.unmasked",
    "smollm2-headlines": "qkv.recipes.smollm2_headlines",
    "vocabulary-size": "qkv.recipes.vocabulary_size",
}


def recipe(name: str) -> Recipe:
    """The experiment's module.  Raises ResultError, naming those there are, when there is none."""
    if name not in MODULES:
        raise ResultError(f"no experiment {name!r}; there are: {', '.join(MODULES)}")
    return cast(Recipe, import_module(MODULES[name]))
