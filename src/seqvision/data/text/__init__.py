"""Text as numbers: vocabularies, padded sequences, and tasks on strings of digits."""
