"""Models that align labels to frames monotonically: losses and searches."""
