"""kerasseq: sequence-to-sequence learning with Keras 3."""
