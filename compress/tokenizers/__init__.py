"""How text becomes word pieces: tokenizers, narrowed vocabularies, and how they are saved."""
