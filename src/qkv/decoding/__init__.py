"""From logits for the next token to text: greedy, beam, sampling, cache."""
