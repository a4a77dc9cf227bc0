"""One module per command or command group; each has ``register(app)`` and is found by its presence.

A module imports at its top only what is light (typer, rich through ``felicity.cli.console``):
everything else is imported inside the function that needs it, so that ``--help`` is quick.
"""
