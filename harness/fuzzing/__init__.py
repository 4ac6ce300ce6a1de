"""Fuzzing with state: moves of both sides in any order, a small model of what must hold, and tokens that replay what failed.

A run is a plain list of named moves with values (`vocabulary`, `script`), played on a bench without chance of its own (`play`).
What must hold is written down a second time here (`model`), from nothing but frames, windows and orders: this package reads no
checker and no stack, and a mistake in either is not repeated in the other.
"""
