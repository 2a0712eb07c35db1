"""What a run says to a person: while it lasts, at its end, and in its report."""
