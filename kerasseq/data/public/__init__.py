"""Public data sets: a description of each, its download and its split."""
