"""Speech to text: pocketsphinx with its general English model, in a process of its own."""
