package ig

// Open makes a Source of a folder of sources.
var Open = open
