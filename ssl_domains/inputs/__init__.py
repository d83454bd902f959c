"""What goes into an encoder: numbers with their validity, of any number of sides, and the views of a batch.

A preprocess makes an `Input` of an array, a recipe makes `Views` of an `Input`, a method embeds them. Needs torch only.
"""

from ssl_domains.inputs.input import Input
from ssl_domains.inputs.spec import InputSpec
from ssl_domains.inputs.views import View, ViewGroup, Views

__all__ = ["Input", "InputSpec", "View", "ViewGroup", "Views"]
