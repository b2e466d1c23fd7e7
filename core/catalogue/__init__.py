"""Changes of the act catalogue, which all countries share (DOMAIN §11)."""
