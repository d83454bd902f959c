"""Inputs of an encoder: values with their validity, of any number of sides, and the views of a batch.

A preprocess turns an array into an `Input`, a recipe turns an `Input` into `Views`, and a method embeds them. This
package needs torch only.
"""

from ssl_domains.inputs.input import Input
from ssl_domains.inputs.spec import InputSpec
from ssl_domains.inputs.views import View, ViewGroup, Views

__all__ = ["Input", "InputSpec", "View", "ViewGroup", "Views"]
