"""Measure Wherry against a hand-written peer: the same data, the same questions, turn by turn. README.md says how."""
