"""A frame of entries -> one session: what belongs together, in order, as turns. Pure.

select, surroundings which entries mention which IDs, and what stands around them
census, groups       which IDs of a whole window may belong together
rules, kinship       what links two IDs, and how sure that is
links                which IDs belong together
presence, partners   in which half of the system each was seen, and who may be a missing half
parting              at which hop an ID was lost, and how
causality, clock     which lines were certainly first, and how far the pods' clocks differ
order                by those clocks, and lines of one time
assembly, turns      which step belongs to which turn, and what came of it
ending, flow         how it ended, and what passed through Kafka
reconstruct          all of it as one value
"""
