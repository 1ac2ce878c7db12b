"""Messages -> mailboxes, and what came back."""
