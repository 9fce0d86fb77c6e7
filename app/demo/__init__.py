"""The demonstration: a sample firm's week, sent through a broker and two workers, and checked to the cent.

Owns the sample data, the run of it and the comparison with an independent reckoning. Does not own any rule about
money, nor how a worker or a broker works.
"""
