"""Files as an enemy would write them: small, made by the tests, none of them kept."""
