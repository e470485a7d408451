package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

// Acceptance is the answer to a delivery whose bytes are durable.
type Acceptance struct {
	Receipt store.Receipt
	Ack     []byte // for a single HL7 v2 message: its acknowledgement
}

// Accept makes a delivery durable in the inbox. Bytes that are no record are
// taken too, into quarantine: the sender is told, and nothing is lost.
//
// Faults: NotFound for an institution that is no member, TooCostly for a delivery
// over the limit, Invalid for one without bytes.
func (in *Ingest) Accept(ctx context.Context, d Delivery) (Acceptance, error) {
	m, ok := in.member(d.Institution)
	if !ok && !in.waits(d.Institution) {
		return Acceptance{}, fault.New(fault.NotFound, "the institution is not a member")
	}
	switch size := d.size(); {
	case size > in.Limits.Delivery:
		return Acceptance{}, fault.Newf(fault.TooCostly, "the delivery is over %d bytes", in.Limits.Delivery).WithCode("too-long")
	case size == 0:
		return Acceptance{}, fault.New(fault.Invalid, "the delivery is empty")
	}
	if d.Source == "" {
		d.Source = defaultSource
	}
	if !ok {
		return in.acceptUnread(ctx, d)
	}
	if message, ok := in.singleMessage(m, d); ok {
		return in.acceptMessage(ctx, m, d, message)
	}
	return in.acceptDelivery(ctx, d)
}

// acceptDelivery takes a delivery that is to be split into records.
func (in *Ingest) acceptDelivery(ctx context.Context, d Delivery) (Acceptance, error) {
	name, archived, err := d.archive()
	if err != nil {
		return Acceptance{}, err
	}
	receipt, err := in.keep(ctx, store.Entry{
		Record: store.Record{
			Institution: d.Institution, Source: d.Source, Format: store.Delivery, Name: name, Control: d.Control,
			State: store.Received,
		},
		Bytes: archived,
	})
	return Acceptance{Receipt: receipt}, err
}

// defaultSource is where records come from that name no source.
const defaultSource = "upload"

func (in *Ingest) keep(ctx context.Context, e store.Entry) (store.Receipt, error) {
	receipts, err := in.Inbox.Accept(ctx, []store.Entry{e})
	if err != nil {
		return store.Receipt{}, fmt.Errorf("accept: %w", err)
	}
	in.Fault(AfterAccept)
	in.Poke()
	return receipts[0], nil
}

// singleMessage returns the bytes of a delivery that is one HL7 v2 message, or from a
// source of such messages and none.
func (in *Ingest) singleMessage(m Member, d Delivery) ([]byte, bool) {
	if len(d.Files) != 1 {
		return nil, false
	}
	text := d.Files[0].Bytes
	format := mapping.FormatOf(mapping.File(d.Files[0]))
	if s, ok := m.Institution.Source(d.Source); ok && s.Format != "" {
		format = s.Format // as the record will be read
	}
	if format != record.HL7v2 {
		return nil, false
	}
	frames := 0
	hl7v2.Split(bytes.NewReader(text), in.hl7Options(m, d.Source, d.Files[0].Name))(func(hl7v2.Frame, error) bool {
		frames++
		return frames < 2
	})
	if frames > 1 {
		return nil, false
	}
	return text, true
}

// acceptMessage takes one HL7 v2 message. In original mode it is answered AA when
// it is durable and waits for its turn, AR when it is no message of ours – then it
// is kept in quarantine –, in enhanced mode CA and CR. A source with ack: processed
// is answered when the work has ended: AA, or AE with what was wrong.
func (in *Ingest) acceptMessage(ctx context.Context, m Member, d Delivery, message []byte) (Acceptance, error) {
	options := in.hl7Options(m, d.Source, d.Files[0].Name)
	header, err := hl7v2.Peek(message, options)
	entry := store.Entry{
		Record: store.Record{
			Institution: d.Institution, Source: d.Source, Format: record.HL7v2, Name: cleanName(d.Files[0].Name),
			Control: header.Control, Type: header.Type(), Length: int64(len(message)), State: store.Received,
			Answer: answerIn(header, hl7v2.Accepted),
		},
		Bytes: message,
	}
	var rec *record.Record
	if err == nil {
		rec, err = hl7v2.Parse(message, options)
	}
	reply := hl7v2.Reply{Time: time.Now().In(m.Institution.Zone()), Control: rand.Text()[:20]}
	var syntax *record.SyntaxError
	switch {
	case errors.As(err, &syntax):
		entry.State, entry.Answer = store.Quarantined, answerIn(header, hl7v2.Refused)
		entry.Reason = interaction.Reason([]fhir.Issue{syntaxIssue(syntax)})
		reply.Errors = []hl7v2.ReplyError{{Origin: syntax.Path, Code: replyCode(syntax.Code), Severity: "E", Text: syntax.Reason}}
	case err != nil:
		return Acceptance{}, fmt.Errorf("read a message: %w", err)
	default:
		entry.Lanes = m.Institution.Lanes(rec)
		entry.Type = rec.Type
	}
	receipt, err := in.keep(ctx, entry)
	if err != nil {
		return Acceptance{}, err
	}
	reply.Code = receipt.Answer // a retransmission gets the first answer again
	if s, ok := m.Institution.Source(d.Source); ok && s.Ack == ackProcessed && entry.State == store.Received && !header.Enhanced() {
		if reply.Code, reply.Errors, err = in.processed(ctx, receipt.ID); err != nil {
			return Acceptance{}, err
		}
	}
	return Acceptance{Receipt: receipt, Ack: hl7v2.Ack(header, reply)}, nil
}

// ackProcessed is the setting of a source whose senders are answered when the work
// on their message has ended.
const ackProcessed = "processed"

// answerIn is the acknowledgement code in the mode that the sender asked for.
func answerIn(h hl7v2.Header, code string) string {
	if !h.Enhanced() {
		return code
	}
	if code == hl7v2.Refused {
		return hl7v2.CommitReject
	}
	return hl7v2.CommitAccept
}

// processed waits for the end of the work on a message and answers what became of
// it. It is the same for every retransmission.
func (in *Ingest) processed(ctx context.Context, id string) (string, []hl7v2.ReplyError, error) {
	records, err := in.Wait(ctx, id)
	if err != nil {
		return "", nil, err
	}
	if records[0].State != store.Quarantined {
		return hl7v2.Accepted, nil, nil
	}
	var errs []hl7v2.ReplyError
	for _, i := range interaction.Issues(records[0].Reason) {
		if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
			errs = append(errs, hl7v2.ReplyError{Origin: i.Origin, Code: "207", Severity: "E", Text: i.Text})
		}
	}
	return hl7v2.Failed, errs, nil
}

// replyCode is the code of HL7 table 0357 for a reader's error.
func replyCode(code string) string {
	switch code {
	case "message-type":
		return "200"
	case "version":
		return "203"
	case "too-large", "too-many-segments", "too-many-repetitions", "too-many-values":
		return "104"
	case "truncated", "not-hl7":
		return "100"
	}
	return "102"
}

func (in *Ingest) hl7Options(m Member, source, file string) hl7v2.Options {
	charset := m.Institution.Charset()
	if s, ok := m.Institution.Source(source); ok && s.Charset != "" {
		charset = s.Charset
	}
	return hl7v2.Options{Charset: charset, File: file, Limits: hl7v2.Limits{MaxBytes: int(in.Limits.Record)}}
}
