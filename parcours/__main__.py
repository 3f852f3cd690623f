"""`python -m parcours` is the `parcours` command."""

from parcours.config.cli import main

main()
