"""The only task: replace it by yours."""

print("hello")
