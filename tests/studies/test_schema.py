from hyperribbon.studies.schema import generated


def test_what_is_generated_is_that_of_the_model_and_the_registry():
    """If this fails: make schema."""
    for path, text in generated().items():
        assert path.read_text() == text, path
