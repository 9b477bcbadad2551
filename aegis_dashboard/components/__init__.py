"""What the pages are made of. Every function returns markup or draws it; none of them asks the core."""
