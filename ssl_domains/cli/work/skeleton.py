"""Write the skeleton of a plugin with a domain of its own."""
