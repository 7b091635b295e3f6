"""Taking in, finding, disclosing, deciding and erasing."""
