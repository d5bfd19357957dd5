"""How the weights of a finished run get into the package: in half precision, with a card that says what they are."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from safetensors.torch import save_file
from torch import nn

from qkv import assets
from qkv.recipes.result import write_text

RUNNING_TEXT: Final = (
    "the set running-text: books, presidents' addresses, Wikipedia, reviews, tweets; its training split"
)
LIMITS: Final = (
    "Three million words, most of them more than a hundred years old, with the manners and prejudices of their time; "
    "half of them are presidents' addresses."
)


def folder(tokens_of: str = "") -> Path:
    """``qkv/weights``, or in it the folder for the tokens of a model; made where it is missing."""
    found = Path(assets.__file__).parent / "weights" / tokens_of
    found.mkdir(parents=True, exist_ok=True)
    return found


def publish(name: str, model: nn.Module, config: Any, title: str, about: Mapping[str, Any]) -> None:
    """Write ``NAME.safetensors`` and ``NAME.json``; ``about`` ends the card: data, recipe, scores, limits and so on."""
    path = folder() / f"{name}.safetensors"
    save_file({key: tensor.half() for key, tensor in model.state_dict().items()}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    card = {"title": title, "config": asdict(config), "sha256": sha256, "licence": "MIT", **about}
    write_text(path.with_suffix(".json"), json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def mean_of(last: int) -> str:
    """What a result calls the mean of so many last checkpoints."""
    return f"mean of {last} checkpoints"
