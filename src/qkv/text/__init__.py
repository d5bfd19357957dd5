"""Characters, BPE and WordPiece: strings and integers only."""
