"""Training data as people have it: every file shape becomes the same samples. No torch here."""
