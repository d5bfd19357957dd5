"""Edit distance, spans, intervals."""
