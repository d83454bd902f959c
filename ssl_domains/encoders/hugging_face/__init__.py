"""Encoders of Hugging Face models in a local folder, ``transformers:FOLDER``: of token ids, pictures and waveforms."""
