"""What handlers answer on every server."""

# About 10 KB as JSON.
LARGE = [
    {"id": number, "name": f"Product {number}", "price": number * 1.5, "tags": ["new", "sale"], "stock": number % 7}
    for number in range(128)
]
