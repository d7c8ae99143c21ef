"""Files measured in a browser: latency inside the page, quality through the same page."""
