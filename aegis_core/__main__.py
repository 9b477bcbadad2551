"""`python -m aegis_core` is `aegis`."""

from aegis_core.cli import main

if __name__ == "__main__":
    main()
