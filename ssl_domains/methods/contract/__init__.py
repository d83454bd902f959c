"""Contract 3: the method, its views, embeddings and pairs, and what it computes between epochs."""
