"""Pages for people: Swagger UI at ``/docs``, the playground at ``/playground``, and the media of the examples."""
