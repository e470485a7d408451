// Package upload takes records over HTTP: POST /ingest/{institution}.
//
// The body is one message, document or file, or multipart/form-data with the
// files of one delivery. The answer comes when the bytes are durable: 202 with
// the records' ids, or with ?wait=1 – bounded – 200 with what became of them. A
// single HL7 v2 message whose sender accepts HL7 v2 is answered with an ACK.
//
// It owns the transport alone; what a record is, package ingest decides.
package upload
