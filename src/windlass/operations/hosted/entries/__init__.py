"""What the catalogue offers, by noun: operations in the words of `windlass.protocol.api`."""
