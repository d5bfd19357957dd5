"""Carrying a language model over to a task: heads, inputs, learning rates."""
