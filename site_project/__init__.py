"""The project: settings, URLs, system checks and everything that may know all the apps."""
