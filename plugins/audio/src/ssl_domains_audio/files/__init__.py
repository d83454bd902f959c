"""Files of recordings: from first bytes to a header, and from a header to an array that is read in part.

`sound_header` says what a file is by its first bytes, never by its suffix, and how many samples it really holds.
`open_sound` gives the samples as an array ``[time, channels]`` in the type of the file, and `full_scale` brings any of
these types to float32 in ±1.
"""

from ssl_domains_audio.files.arrays import load_sound, open_sound
from ssl_domains_audio.files.header import SoundHeader, sound_header
from ssl_domains_audio.files.kind import Kind, kind_of
from ssl_domains_audio.files.scale import full_scale

__all__ = ["Kind", "SoundHeader", "full_scale", "kind_of", "load_sound", "open_sound", "sound_header"]
