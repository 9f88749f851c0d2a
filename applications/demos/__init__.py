"""Examples that are made here, so that each head can be tried without data."""
