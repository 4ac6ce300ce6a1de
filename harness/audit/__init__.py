"""Verdicts on a capture of any origin: the joins that it holds, each made a trace and judged by the clauses of steps 5 to 9.

Knows frames, traces and clauses as values; no bench, no case, and of what was ordered or done by hand only that it does not know it.
"""
