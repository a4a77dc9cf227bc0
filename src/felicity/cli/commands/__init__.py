"""One module per command or command group; each has ``register(app)`` and its ``PANEL``, and Felicity finds
it in this folder.

At its top, a module imports light packages alone (typer, and rich through ``felicity.cli.console``). It imports
everything else inside the function that needs it, so that ``--help`` is quick.
"""
