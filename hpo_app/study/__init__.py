"""What did happen: the journal of a run and the study that is read from it."""
