package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

// roster is whose records are taken.
type roster struct {
	members map[string]Member
	waiting []string
}

// folder is how the version of the folder is named that a record was mapped with.
func (m Member) folder() string { return cmp.Or(m.Folder, m.Institution.Version()) }

// errWaits ends the work on a record whose institution's maps do not load now, and
// the waiting for it: no time that somebody waits would be enough.
var errWaits = fmt.Errorf("the maps of the institution do not load: %w", context.DeadlineExceeded)

// SetMembers replaces the members at once; records being mapped end with what they
// began with. Waiting are institutions that are known and whose maps do not load:
// what they send is taken, and stays in line until they are members again.
func (in *Ingest) SetMembers(list []Member, waiting ...string) {
	members := make(map[string]Member, len(list))
	for _, m := range list {
		members[m.Institution.ID()] = m
	}
	in.roster.Store(&roster{members, slices.Clone(waiting)})
	in.Poke()
}

// waits reports whether an institution's records wait for its maps.
func (in *Ingest) waits(institution string) bool {
	return slices.Contains(in.roster.Load().waiting, institution)
}

// acceptUnread takes what cannot be read now. Without maps nobody knows its lanes, so
// it is a delivery, which is split once they load. The sender of a message is
// answered as if it could be read, also of a source with ack: processed: its bytes
// are durable, and it need not send them again.
func (in *Ingest) acceptUnread(ctx context.Context, d Delivery) (Acceptance, error) {
	accepted, err := in.acceptDelivery(ctx, d)
	if err != nil || len(d.Files) != 1 || mapping.FormatOf(mapping.File(d.Files[0])) != record.HL7v2 {
		return accepted, err
	}
	header, err := hl7v2.Peek(d.Files[0].Bytes, hl7v2.Options{Limits: hl7v2.Limits{MaxBytes: int(in.Limits.Record)}})
	if err != nil {
		return accepted, nil // no message that could be answered
	}
	accepted.Ack = hl7v2.Ack(header, hl7v2.Reply{
		Code: answerIn(header, hl7v2.Accepted), Time: time.Now().In(datetime.China()), Control: rand.Text()[:20],
	})
	return accepted, nil
}
