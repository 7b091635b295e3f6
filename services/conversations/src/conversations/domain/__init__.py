"""What may happen to a conversation, and what that makes of it. Pure."""
