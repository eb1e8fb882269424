from hyperribbon import config_docs


def test_schema_and_readme_are_those_of_the_model():
    """If this fails: make schema."""
    assert config_docs.SCHEMA.read_text() == config_docs.schema()
    assert config_docs.README.read_text() == config_docs.updated_readme()
