package main

import "encoding/json"

// unread are the parts of definitions nobody here reads: at the top, and in
// the concepts of code systems (translations of the HL7 v2 tables).
var (
	unread        = []string{"text", "differential", "contact"}
	unreadConcept = []string{"designation", "extension"}
)

// slim is the JSON of a definition without the unread parts.
func slim(data []byte, kind string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	for _, name := range unread {
		delete(fields, name)
	}
	if concepts := fields["concept"]; concepts != nil && kind == "CodeSystem" {
		var err error
		if fields["concept"], err = slimConcepts(concepts); err != nil {
			return nil, err
		}
	}
	return json.Marshal(fields)
}

func slimConcepts(data []byte) ([]byte, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	for _, c := range list {
		for _, name := range unreadConcept {
			delete(c, name)
		}
		if below := c["concept"]; below != nil {
			var err error
			if c["concept"], err = slimConcepts(below); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(list)
}
