"""Exercises that name the mistake: ask, check, hint, solution, progress.

    from qkv.exercises import check
    check("attention.scaled_dot_product_attention", my_function)

``check`` compares an answer with a reference on several probes.  When it differs, it is compared with a bank of
mutants, the reference with one known mistake each; a mistake is named only when its mutant agrees on all probes.
"""

from qkv.exercises.engine import ask, catalogue, check, hint, mutants, progress, solution
from qkv.exercises.report import Report

__all__ = ["Report", "ask", "catalogue", "check", "hint", "mutants", "progress", "solution"]
