"""A made-up shop with drawn products, for demos, tests and tries without a catalog of one's own."""

from goods.sample.write import write_sample

__all__ = ["write_sample"]
