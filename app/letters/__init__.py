"""Dead letters as an operator meets them: found, explained, corrected, and sent to their topic again exactly once.

Owns what a letter lacks and what was done with it. Does not own how a worker comes to put a record aside.
"""
