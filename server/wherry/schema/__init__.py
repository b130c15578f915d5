"""What is in the database, as values; the door is `reader.interpret`, the values are in `model`."""
