"""The curves that a notebook measures: each file walks a bench over seeds and shares, one kind of curve a file."""
