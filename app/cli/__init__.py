"""The `billtide` command. Each subcommand is a module of its own, loaded when it is called.

Owns arguments, what is printed, exit codes and the sentences of errors. Does not own what a command does.
"""

from .root import main

__all__ = ["main"]
