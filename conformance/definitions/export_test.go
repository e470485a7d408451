package definitions

// Open reads the embedded file anew, as the first call of R4 does.
func Open() (*Definitions, error) { return open(r4) }

// Embedded is the embedded file.
func Embedded() []byte { return r4 }
