"""Public data sets: what they are, where they come from, and how they split."""
