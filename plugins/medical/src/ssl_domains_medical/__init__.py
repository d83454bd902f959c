"""Medical images: patients, studies, positions and clinical values as positives."""
