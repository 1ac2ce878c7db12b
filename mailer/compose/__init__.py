"""Issue file -> editions -> messages. No socket, no database, no clock of its own."""
