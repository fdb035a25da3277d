"""The search for hyper-parameters: what is searched, the trials of a search, and `make tune`."""
