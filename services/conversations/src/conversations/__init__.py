"""One conversation across voice, SMS and chat."""
