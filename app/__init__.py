"""The process around the rules: Faust, Kafka, settings, metrics, the command line, and the broker.

Does not own decisions (agents/rules), the shape of state (tables) or of events (codecs).
"""
