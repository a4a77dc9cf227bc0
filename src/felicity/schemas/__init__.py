"""The JSON schema of every answer.

A module here names its answers in ``SHAPES``, by command: ``SHAPES = {"runs-list": list[RunShape]}``. An answer that
streams as JSON Lines is in ``LINES`` instead, with the schema of one line. ``felicity schema`` prints them all.
"""
