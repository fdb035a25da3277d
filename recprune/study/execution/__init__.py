"""One run of a plan: its notebook in a kernel of its own, whole or not at all, whatever interrupts it."""
