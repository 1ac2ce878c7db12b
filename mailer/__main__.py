"""`python -m mailer` is the `mailer` command."""

from mailer.cli.main import main

if __name__ == "__main__":
    main()
