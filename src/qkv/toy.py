"""The course's running example: one sentence, three words, numbers small enough to check by hand.

"The cat left the mat because *it* was hungry."  Rows are the words cat, mat, it.  The numbers are set by hand, so that
every step of attention can be followed on paper: d_k = 4, so the square root of d_k is 2, and d_v = 2.
Lesson, figures and the first probe of every checker use these same numbers.  Plain lists: wrap them as you need.
"""

from typing import Final

SENTENCE: Final = "The cat left the mat because it was hungry."
SENTENCE_WET: Final = "The cat left the mat because it was wet."
WORDS: Final = ["cat", "mat", "it"]
FEATURES: Final = ["alive", "thing", "singular", "pronoun"]

QUERY: Final[list[list[float]]] = [[0, 0, 2, 2], [0, 0, 0, 4], [2, 0, 2, 0]]  # (t_q 3, d_k 4)
KEY: Final[list[list[float]]] = [[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]  # (t_k 3, d_k 4)
VALUE: Final[list[list[float]]] = [[10, 0], [0, 10], [0, 0]]  # (t_k 3, d_v 2)

QUERY_IT_WET: Final[list[float]] = [0, 2, 2, 0]  # the row of *it* when the sentence ends in "wet"

# Chapter 03.  The same sentence up to its first verb: *left* must know who left and what was left.  One row per word in
# the order of the sentence; only *left* asks, in every head with the same query, and d_k = 1, so nothing is divided.
WORDS_LEFT: Final = ["cat", "left", "mat"]
WORDS_LEFT_SWAPPED: Final = ["mat", "left", "cat"]  # "The mat left the cat."
QUERY_LEFT: Final[list[list[float]]] = [[0], [20], [0]]  # (t_q 3, d_k 1)
KEY_WHO: Final[list[list[float]]] = [[1], [0], [0]]  # (t_k 3, d_k 1): offered by the word that does it
KEY_WHAT: Final[list[list[float]]] = [[0], [0], [1]]  # by the word to which it is done
KEY_BOTH: Final[list[list[float]]] = [[1], [0], [1]]  # by either
VALUE_OF: Final[dict[str, list[float]]] = {"cat": [10, 0], "mat": [0, 10], "left": [0, 0]}  # d_v = 2
