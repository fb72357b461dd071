"""What became of a session's records in Kafka: records and offsets decide, lines only hint."""
