"""What every view uses: OSDI's additions to flask-smorest, access, rate limits, CORS, paging and the request log."""
