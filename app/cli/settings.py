"""`billtide settings`: every variable, what it is now, and what it means."""

from __future__ import annotations

import os
from typing import Final

import click
from pydantic import SecretStr

from ..settings import Settings, load, variable
from .output import Column, json_option, write_json, write_table

MASK: Final = "********"


@click.command()
@json_option
def settings(as_json: bool) -> None:
    """Show every setting, its value and its meaning. Secrets are masked."""
    loaded = load()
    described = [_described(loaded, name) for name in Settings.model_fields]
    if as_json:
        write_json({"settings": described})
        return
    columns = [Column("variable"), Column("value"), Column("from"), Column("meaning")]
    write_table(columns, [[str(one[key]) for key in ("name", "value", "from", "meaning")] for one in described])


def _described(loaded: Settings, name: str) -> dict[str, object]:
    value = getattr(loaded, name)
    if isinstance(value, SecretStr):
        value = MASK if value.get_secret_value() else ""
    plain = value if isinstance(value, int | str) else "" if value is None else str(value)
    given = "environment" if os.environ.get(variable(name)) else "default"
    return {
        "name": variable(name),
        "value": plain,
        "from": given,
        "meaning": Settings.model_fields[name].description or "",
    }
