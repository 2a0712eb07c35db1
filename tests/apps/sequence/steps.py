def step(position, target, rate):
    """One step of gradient descent on (position - target) ** 2."""
    return position - rate * 2 * (position - target)
