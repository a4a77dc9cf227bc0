"""The entry point of the command ``felicity`` and of ``python -m felicity``."""

import sys


def main() -> None:
    """Run the command line; end quietly on Ctrl-C, also during the imports."""
    try:
        from felicity.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
