"""From a base and a catalog to a checkpoint that is shown to be better."""
