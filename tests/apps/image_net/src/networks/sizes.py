class Network:
    def __init__(self, name, width):
        self.name = name
        self.width = width
