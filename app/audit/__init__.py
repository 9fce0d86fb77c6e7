"""Reading back what the tasks have done: the audit's chain, one entry's whole way, and the same work done again.

Owns how audit and output topics are read and compared. Does not own how the audit is written (agents/trail.py).
"""
