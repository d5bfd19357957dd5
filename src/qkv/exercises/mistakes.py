"""The mistakes that checkers know by name: what the answer equals, why it matters, what to do next, where to read.

Codes A and M are those of the course's catalogue; S are beliefs and slips that the exercises of chapter 02 add to it.
A mutant is one answer that commits a mistake; the same mistake may have several.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

SECTIONS: Final = (  # the questions of the lesson, in order
    "Which word does it mean?",
    ASK_AND_ANSWER := "How do two vectors ask and answer?",
    SCORES_TO_SHARES := "How do scores become shares?",
    SHARED_OUT := "What is shared out?",
    ADD_UP := "Whose shares add up to 1?",
    WHY_DIVIDE := "Why divide by √d_k?",
    "Could a small network score instead?",
    MAY_BE_READ := "What may be read?",
    GRADIENT := "What does the gradient move?",
    "Does a real model do this?",
)


@dataclass(frozen=True, eq=False)
class Mutant:
    """An answer with a known mistake.  ``phrase`` completes "Your output equals that of …"."""

    code: str
    phrase: str
    why: str
    then: str
    see: str
    answer: Any = None

    def committed_by(self, answer: Any, **changes: str) -> "Mutant":
        """The same mistake made by this answer; ``changes`` replace words where this answer needs others."""
        return replace(self, answer=answer, **changes)


_ALL = (
    Mutant(
        "A1",
        "a missing division by √d_k",
        "Dot products spread like √d_k, so one key takes nearly everything.",
        "Print the scores of row *it*: after scaling they read 2, 1, 0.",
        WHY_DIVIDE,
    ),
    Mutant(
        "A2",
        "a division by √d_model",
        "d_model counts all heads together; one dot product adds up d_k terms.",
        "Ask how many products are added up for one score.",
        WHY_DIVIDE,
    ),
    Mutant(
        "A3",
        "scores multiplied by √d_k",
        "Multiplying widens the spread that the division is there to shrink.",
        "Check row *it* on paper: 4, 2, 0 becomes 2, 1, 0.",
        WHY_DIVIDE,
    ),
    Mutant(
        "A4",
        "a softmax down the columns",
        "*cat* then hands out .912 instead of 1. Each query has one unit to share among the keys.",
        "Print your weights' row sums, then look at the axis.",
        ADD_UP,
    ),
    Mutant(
        "A5",
        "a key that is not transposed",
        "One score compares one query with one key along d_k; here d_k meets t_k.",
        "Write the shapes of query and key under each other.",
        ASK_AND_ANSWER,
    ),
    Mutant(
        "A6",
        "a mix of keys, not of values",
        "Keys decide the shares; the values are what gets shared out.",
        "Follow `value` through your code: where is it read?",
        SHARED_OUT,
    ),
    Mutant(
        "A7",
        "a softmax after the mix",
        "Softmax turns scores into shares; the values come in afterwards.",
        "List your steps in order and find where softmax stands.",
        SHARED_OUT,
    ),
    Mutant(
        "A8",
        "dropout that is active in evaluation",
        "Evaluation must give the same numbers twice.",
        "Call your function twice on one input, then look for what is drawn at random.",
        ADD_UP,
    ),
    Mutant(
        "A9",
        "an exponential of raw scores",
        "exp of a score above 709 is no number (in 32 bits: 88).",
        "Softmax sees differences only: shift the scores so that none is above 0.",
        SCORES_TO_SHARES,
    ),
    Mutant(
        "A10",
        "a division by √d_k done twice",
        "Divided twice, the scores shrink with d_k and all shares drift towards equal.",
        "Count the divisions between the dot product and softmax.",
        WHY_DIVIDE,
    ),
    Mutant(
        "M1",
        "masking after softmax",
        "Blocked keys left the result but stayed in the sum. *cat* can read only itself, so its share must be 1.",
        "Find where blocked keys leave the sum.",
        MAY_BE_READ,
    ),
    Mutant(
        "M2",
        "a mask with the opposite sign",
        "A blocked key then has the largest score and takes everything.",
        "Print the masked scores of row *cat*.",
        MAY_BE_READ,
    ),
    Mutant(
        "M3",
        "an inverted mask",
        "Here True means *may attend*; PyTorch's MultiheadAttention means the opposite.",
        "Say aloud what True means in the line that applies the mask.",
        MAY_BE_READ,
    ),
    Mutant(
        "M4",
        "a mask added to the scores as 1 and 0",
        "An allowed key gains 1, and a blocked key keeps a share.",
        "Print the masked weights of row *cat*: two should be 0.",
        MAY_BE_READ,
    ),
    Mutant(
        "M5",
        "0 times −∞",
        "0 · (−∞) is not a number, and it lands on the keys that are allowed.",
        "Choose the blocked scores by a condition instead of a product.",
        MAY_BE_READ,
    ),
    Mutant(
        "M6",
        "an empty row that is not refused",
        "Softmax of nothing but −∞ is 0 / 0.",
        "Look for rows of the mask without a True, and raise a ValueError that names the row.",
        MAY_BE_READ,
    ),
    Mutant(
        "M7",
        "a blocked score near 0",
        "exp(0) is 1, so a blocked key still gets a share.",
        "Ask which score has the exponential 0.",
        MAY_BE_READ,
    ),
    Mutant(
        "M8",
        "a causal mask that is off by one",
        "A row reads itself and what came before it, no more and no less.",
        "Write the mask of three words on paper: row *cat* has one True.",
        MAY_BE_READ,
    ),
    Mutant(
        "M9",
        "a mask laid on the queries",
        "Rows ask, columns are read: padding is a column that nobody may read.",
        "Compare the last axis of the mask with the last axis of the scores.",
        MAY_BE_READ,
    ),
    Mutant(
        "M10",
        "a mask repeated in the other order",
        "Heads of one sentence lie side by side, so its mask must be repeated side by side.",
        "Write down which sentence and head each of the first three rows belongs to.",
        MAY_BE_READ,
    ),
    Mutant(
        "M11",
        "a causal mask that ignores the cache",
        "With fewer queries than keys, the queries are the *last* positions.",
        "Ask which position the first query has when two keys are already stored.",
        MAY_BE_READ,
    ),
    Mutant(
        "M12",
        "a mask that stays on the default device",
        "Scores and mask must live on one device, or the next line fails on a GPU.",
        "Compare `mask.device` with `scores.device`.",
        MAY_BE_READ,
    ),
    Mutant(
        "M13",
        "a mask skipped when t_q ≠ t_k",
        "Cross-attention has padding too, in the sequence that is read.",
        "Find the condition under which your code skips the mask.",
        MAY_BE_READ,
    ),
    Mutant(
        "S1",
        "“softmax sees size, not differences”",
        "exp turns differences into ratios: one more point means e times the share.",
        "Subtract 100 from 102, 101, 100 and look again.",
        SCORES_TO_SHARES,
    ),
    Mutant(
        "S2",
        "“the output can leave the values”",
        "Shares are positive and add up to 1, so the output stays inside the triangle *cat*, *mat*, *it*.",
        "Try the longest query you like and plot where the output goes.",
        SHARED_OUT,
    ),
    Mutant(
        "S3",
        "“a masked key counts as score 0”",
        "exp(0) is 1: score 0 is a score like any other. A blocked key has no share at all.",
        "Ask which score has the exponential 0.",
        MAY_BE_READ,
    ),
    Mutant(
        "S4",
        "an unused mask",
        "Every key is read, whatever `may_attend` says.",
        "Decide between which two of the four steps blocked keys drop out.",
        MAY_BE_READ,
    ),
    Mutant(
        "S5",
        "a claim wider than its evidence",
        "A sentence may say what was measured, and no more.",
        "Underline every word of the sentence that no number supports.",
        ADD_UP,
    ),
    Mutant(
        "S6",
        "“not seen” read as “no effect”",
        "An interval that holds 0 also holds effects that would matter.",
        "Read aloud the two ends of the interval.",
        ADD_UP,
    ),
    Mutant(
        "S7",
        "a mean taken for the typical case",
        "A few large draws lift the mean while most draws shrink to nothing.",
        "Ask which number half of the draws lie below.",
        GRADIENT,
    ),
    Mutant(
        "S8",
        "old sums that keep an old maximum",
        "When a later chunk brings a larger score, everything summed before was measured against another maximum.",
        "Follow two chunks by hand, the larger score in the second.",
        SCORES_TO_SHARES,
    ),
    Mutant(
        "S9",
        "a softmax inside each chunk",
        "Every chunk then hands out a whole unit, although one unit is shared among all keys.",
        "Use two chunks of different size with equal scores.",
        ADD_UP,
    ),
    Mutant(
        "S10",
        "a division by the root of a size other than d_k",
        "One score adds up d_k products; how many keys or values there are does not matter.",
        "Name the axis that the dot product runs over.",
        WHY_DIVIDE,
    ),
    Mutant(
        "S11",
        "dropout without its correction",
        "Kept shares must grow, so that the expected output stays what evaluation gives.",
        "Average the outputs of many drawn masks and compare.",
        ADD_UP,
    ),
    Mutant(
        "S12",
        "a swap of other axes",
        "The last two axes swap; batch and heads stay where they are.",
        "Try a tensor with four axes of different size.",
        ASK_AND_ANSWER,
    ),
    Mutant(
        "S13",
        "the shares themselves",
        "Shares say how much of each value is taken; the values are still to be mixed by them.",
        "Look for the step that reads `values`.",
        SHARED_OUT,
    ),
    Mutant(
        "S14",
        "the value with the highest score, alone",
        "Attention takes something from every key, so that each of them can learn.",
        "Print the shares: softmax gives none of them exactly 1.",
        SCORES_TO_SHARES,
    ),
    Mutant(
        "S15",
        "a division by 2, whatever d_k is",
        "On the toy d_k is 4, so its root is 2; a longer query asks for another number.",
        "Compute the divisor from the length of the query.",
        WHY_DIVIDE,
    ),
    Mutant(
        "S16",
        "a running maximum that starts at 0",
        "Where all scores lie far below 0, every exponential is then 0, and 0 / 0 is not a number.",
        "Ask which number is smaller than every score.",
        SCORES_TO_SHARES,
    ),
)
MISTAKES: Final = {mistake.code: mistake for mistake in _ALL}
