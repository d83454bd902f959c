"""Encoders of Hugging Face models that lie in a local folder: of token ids, pictures and waveforms; ``transformers:FOLDER``."""
