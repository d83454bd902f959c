"""One time slice on the map as a page: amplitudes, labels, predictions, and the similarity of features to one place."""

from ssl_domains_seismic.slices.slice_page import SliceRequest, named_paths, write_slice_page

__all__ = ["SliceRequest", "named_paths", "write_slice_page"]
