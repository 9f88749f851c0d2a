"""Pictures and clips with captions, stored and batched."""
