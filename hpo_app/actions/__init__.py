"""What a person can ask for: each module is one action, with one function `run(command)`."""
