"""State that survives a restart, keyed by engagement: what a task knows between events.

Owns the tables of a task (typed views over bytes), its changelog records, and the reference data all tasks
share. Does not own when state is committed or restored (the runtime) nor what it means (the rules).
"""
