"""The sample data of a demonstration: clients, mailings with a history, and a blog."""
