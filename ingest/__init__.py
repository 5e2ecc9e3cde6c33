"""The batch worker: plan, load, embed, upsert, report."""
