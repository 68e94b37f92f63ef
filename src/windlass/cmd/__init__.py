"""Programs that run on: what they are built of. Only this package sees all others."""
