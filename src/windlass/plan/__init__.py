"""Event + workflows → plan, and the state machines that carry a plan out. Pure."""
