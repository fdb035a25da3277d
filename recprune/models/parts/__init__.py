"""What recommenders are made of: layers and solvers, one training loop, arrays of any kind."""
