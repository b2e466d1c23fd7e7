"""How fast Concord imports and how much memory it takes, beside what the machine could do at best (`make bench`)."""
