"""How training bends the space of inputs (Zavatone-Veth et al.); begin with `part`."""
