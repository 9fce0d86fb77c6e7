"""Inputs nobody should send, for everything that reads bytes or text from outside; see bench/fuzz.py.

Owns how inputs are made of good ones (mutation, corpus), what reads them and which errors it may raise (the modules
that end in _inputs), and how many are tried (targets). Owns no rule: it imports the product and looks at it.
"""
