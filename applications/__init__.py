"""The three heads: translation, speech recognition and captioning."""
