"""The command: parse, make one call, show the answer."""
