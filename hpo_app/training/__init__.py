"""One model, one configuration, no search: the training contract and the built-in trainers."""
