"""Parts of several losses: checked embeddings, distances, sums part by part, and the precision they are computed in."""
