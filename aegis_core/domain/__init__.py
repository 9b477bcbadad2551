"""Nouns: pure values and decisions. No I/O, no clock, no logging; time is an argument."""
