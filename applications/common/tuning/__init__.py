"""The search for better settings of a head: `kerasseq tune`."""
