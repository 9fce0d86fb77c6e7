"""Pure decisions: values in, effects out.

Owns every rule about money: approval, pricing, correction, accrual, revenue, caps, terms. Knows no clock, no
input or output, no table, no metric; imports codecs only.
"""
