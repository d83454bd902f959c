"""The softmax over candidates of the contrastive loss, computed as one matrix or tile by tile."""
