"""What the three heads share: a run from its configuration to a measured model."""
