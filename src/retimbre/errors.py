"""The one kind of error that is meant for the user."""


class RetimbreError(ValueError):
    """An error a user can cure: one line, names the thing and the remedy.

    Commands print it without a traceback; anything else that is raised is a defect of retimbre.
    """
