"""Actors: one stream in, rules applied, effects out.

Owns how a record becomes a decision: decode, load, decide, store, emit, and the outcome it counts as. Does not
own money (rules), state's shape (tables), bytes (codecs), nor Kafka, transactions and metrics (app).
"""
