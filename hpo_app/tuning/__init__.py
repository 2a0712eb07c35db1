"""The room where Ray is spoken to."""
