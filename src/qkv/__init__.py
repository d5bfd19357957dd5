"""Query, Key, Value: an executable course from the dot product to BERT."""

__version__ = "0.1.0"
