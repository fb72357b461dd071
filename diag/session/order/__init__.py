"""How far the pods' clocks differ, and in which order the lines were written."""
