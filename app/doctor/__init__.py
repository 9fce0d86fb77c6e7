"""What may be wrong around a worker: one small module for each group of checks, and one list of all of them.

Owns what is looked at and how it is judged. Does not own how it is printed, and changes nothing.
"""
