"""The leak check: everything a blinded person can be told, searched for what they must not know."""
