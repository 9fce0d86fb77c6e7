"""Every shape that crosses a boundary (topic, changelog, HTTP), and its bytes.

Owns the wire structs, their versions, decimal text, currencies and the headers around a record.
Does not own what a value means for money (rules) nor where it is kept (tables). Imports nothing of ours.
"""
