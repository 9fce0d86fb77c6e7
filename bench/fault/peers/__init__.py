"""Stock Faust and Quix Streams under the same faults: what their workers do, how they are started, and their check.

A peer cannot run billtide's rules. It prices each time entry at one rate, keeps a running total of each engagement in
its own state, and sends one charge an entry. Scenarios, brokers, load and timeouts are those of billtide's own runs.
"""
