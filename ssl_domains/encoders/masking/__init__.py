"""How a convolutional network is kept from seeing padding: which places are valid after each layer, hooks, and a check."""
