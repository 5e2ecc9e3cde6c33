"""The words that every stage shares: product, schema, catalog, pictures, index, errors."""
