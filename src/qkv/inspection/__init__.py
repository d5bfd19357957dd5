"""Looking inside a model without changing what it returns."""
