"""What one cell of a study measures: it trains, probes, and keeps the scores."""
