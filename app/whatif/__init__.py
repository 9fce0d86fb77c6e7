"""What if: a change of rates, costs, exchange rates or terms tried on the present state, and what it would move.

Owns how a change is read, tried in memory and reckoned. Nothing here writes to Kafka or joins a group.
"""
