package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/source/upload"
)

// Ingest takes one delivery into the data folder of a gateway that is not running
// and returns when the work on it has ended.
//
// Faults: Busy when a running server holds the folder; Address tells where it is.
func Ingest(ctx context.Context, o Options, institution string, files []ingest.File) (answer upload.Answer, err error) {
	p, err := open(ctx, o)
	if err != nil {
		return upload.Answer{}, err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	work, stop := context.WithCancel(ctx)
	group, work := errgroup.WithContext(work)
	group.Go(func() error { return p.ingest.Run(work) })
	answer, err = p.deliver(ctx, institution, files)
	stop()
	return answer, errors.Join(err, group.Wait())
}

func (p *process) deliver(ctx context.Context, institution string, files []ingest.File) (upload.Answer, error) {
	accepted, err := p.ingest.Accept(ctx, ingest.Delivery{Institution: institution, Files: files})
	if err != nil {
		return upload.Answer{}, err
	}
	records, err := p.ingest.Wait(ctx, accepted.Receipt.ID)
	if err != nil {
		return upload.Answer{}, err
	}
	return upload.AnswerTo(accepted, records), nil
}

// Address returns where the server that holds a data folder listens, "" when none
// says so.
func Address(data string) string {
	text, err := os.ReadFile(filepath.Join(data, addressFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
