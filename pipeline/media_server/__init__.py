"""Takes a caller's audio over WHIP, cuts it into utterances for Kafka, plays replies back."""
