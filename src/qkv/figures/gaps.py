"""The numbers behind the figure "fill mask": what our BERT expects in the gaps of a few lines.

The page computes the same in JavaScript for a reader's own lines, from the exported model.
"""

from functools import cache
from typing import Any, Final

from qkv import assets
from qkv.fill import fill
from qkv.models.bert import BERTForPreTraining
from qkv.text.wordpiece import CHINESE, LONGEST_WORD, WordPiece

EXAMPLES: Final = (
    "He went [MASK] of the house.",
    "He went [MASK] the house.",
    "She said that [MASK] was tired.",
    "The [MASK] [MASK] of America.",
    "Paris is the capital of [MASK].",
)
NUM_BEST: Final = 5
MEGABYTES: Final = 18  # runtime, model and pieces, rounded; a test weighs them

Best = list[tuple[str, float]]


@cache
def expected(text: str) -> list[Best]:
    """For each gap of a line the best pieces with their chances, by the committed model."""
    return fill(BERTForPreTraining.from_pretrained("bert"), WordPiece.from_pretrained("bert"), text, NUM_BEST)


def about() -> str:
    """What the model is, and how far to trust it; the figure from the card of its weights."""
    right = assets.weights("bert")[1]["scores"]["accuracy BERT"]
    return (
        "This is a small BERT of the course. It learnt from books, presidents' addresses, Wikipedia, reviews and "
        "tweets: three million words, most of them more than a hundred years old, with the manners and prejudices of "
        f"their time. It is often wrong: in texts that it had not read it named {right} of the hidden pieces."
    )


def fill_mask_data() -> dict[str, Any]:
    """Examples with their answers, limits of the model, and what WordPiece must know of Chinese."""
    pieces, config = WordPiece.from_pretrained("bert"), assets.weights("bert")[1]["config"]
    return {
        "examples": [
            {
                "text": text,
                "pieces": pieces.tokens(text),
                "gaps": [[(piece, round(chance, 5)) for piece, chance in gap] for gap in expected(text)],
            }
            for text in EXAMPLES
        ],
        "best": NUM_BEST,
        "size": len(pieces),
        "most": config["max_length"] - 2,
        "longestWord": LONGEST_WORD,
        "chinese": "".join(f"\\u{{{low:x}}}-\\u{{{high:x}}}" for low, high in CHINESE),
        "megabytes": MEGABYTES,
        "about": about(),
    }
