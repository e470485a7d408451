// Package witness writes down what clients asked a server at the same time and what they were answered, and judges whether
// one server that does one thing after another could have answered so: whether the answers are linearizable.
//
//	clients ──ask──▶ server          what nobody was answered stays open: it may have
//	   │  ▲            │             happened at any time since, or never
//	   │  └──answer────┘
//	   ▼
//	History ──▶ Check(Register | Versions) ──▶ *Violation, Undecided or nil
//
// A History is judged in parts: everything that concerns one resource, or one identity that names at most one resource, is
// a part, and each part must be in order by itself. Two models say what one server does. Register knows what an identity
// means now: which resource, its version and content; conditional creates and updates decide by it. Versions knows all that
// a resource ever was, so that a history with a gap, a version lost or one too many, is no possible answer.
//
// It knows nothing of HTTP and of FHIR's resources: contents are words that the recorder takes out of them, each word
// written once. What is judged is what the answers say, never what a store holds.
package witness
