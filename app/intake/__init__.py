"""Time sheets of any system, as CSV files, turned into billtide's records by a mapping file.

Owns the mapping's keys, how cells are read (exact, nothing guessed) and what is said of a row that cannot be read.
Does not own sending (records) nor what a record means (agents): each record is tried on the agent that will read it.
"""
