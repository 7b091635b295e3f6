"""What goes wrong with a database."""


class DatabaseUnavailable(ConnectionError):
    """No connection is to be had. Check that PostgreSQL runs and takes the login of the role."""
