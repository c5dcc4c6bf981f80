"""Predict calls: the examples of tasks as clients of Clarifai send them, in the dialects whose protocol that is.

What stands where in a call is data, the forms of a task's wire; nothing here knows tasks apart.
"""
