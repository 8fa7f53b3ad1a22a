"""The staff pages about messages: templates, and the follow-ups that send them."""
