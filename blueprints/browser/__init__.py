"""Pages that a person opens in a browser: the API documentation and the page to unsubscribe."""
