"""Files of sound, pictures and clips as arrays."""
