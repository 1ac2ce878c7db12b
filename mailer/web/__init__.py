"""The doors for browsers: the composer's desk, and the reader's pages."""
