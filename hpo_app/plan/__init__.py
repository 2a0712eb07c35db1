"""What shall happen: the search space and the run plan, in the standard library alone."""
