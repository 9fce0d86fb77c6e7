"""Partition tasks on Faust: slab transport, transactions, restore, reference data.

Does not own what a record means (agents) nor which topics there are (app/topology.py).
"""
