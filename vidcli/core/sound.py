"""Sound as numbers: one channel, 16 000 samples a second."""

RATE = 16_000  # samples a second, which every speech model here was taught with
