"""What the products of the sample catalog look like: one function per category, Cut to Drawing."""
