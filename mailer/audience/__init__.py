"""Who gets it: intake, the life of a subscription, segments."""
