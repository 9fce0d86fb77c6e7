"""The error of a start that is refused: what is wrong, and what to do next."""

from __future__ import annotations

import click


class RefusedError(click.ClickException):
    """Raised before anything is changed. The command line prints the message and exits with 2."""

    exit_code = 2
