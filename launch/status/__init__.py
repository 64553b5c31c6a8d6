"""`bin/status`: what a stack is doing right now, on one screen or as one JSON object.

    commands ──> sources ──> report  <── reading: objects | advice
                                └──> screen

Belongs here: asking Pulumi and kubectl, and turning their JSON into sentences. Does not belong here: changing anything, and waiting;
each question has a time limit, and what does not answer is said and not waited for. `screen` needs `rich`; the rest needs nothing.
"""
