"""What every call goes through before and after its servicer, in this order: see `chain`."""
