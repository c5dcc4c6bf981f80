"""`python -m taskbind`."""

from .cli import main

main(prog_name="taskbind")
