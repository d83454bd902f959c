"""The batches of an epoch: how they are composed, planned from (seed, epoch)."""
