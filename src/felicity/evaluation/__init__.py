"""How well a model does on faces it has not seen: figures with intervals, pictures, a report."""
