"""Pictures and clips with captions: corpora, stores and batches."""
