"""The form of a campaign page: its controls, its signed token, its errors, and its content as the helper's JSON."""
