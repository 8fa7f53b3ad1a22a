"""Code that all views share: OSDI's additions to flask-smorest, access, rate limits, CORS, paging, request log."""
