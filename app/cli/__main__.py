"""`python -m billtide.app.cli`: the same command, where no script is on the path."""

from . import main

main(prog_name="billtide")
