from hyperribbon.studies import schema as docs


def test_schema_and_readme_are_those_of_the_model():
    """If this fails: make schema."""
    assert docs.SCHEMA.read_text() == docs.schema()
    assert docs.README.read_text() == docs.updated_readme()
