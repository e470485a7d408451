package main

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/gateway/source/upload"
)

// upload hands one delivery in. What became of its records is not in the answer.
func (c *client) upload(ctx context.Context, institution string, names []string, bar progress) (upload.Answer, error) {
	body, form := io.Pipe()
	parts := multipart.NewWriter(form)
	go func() { form.CloseWithError(writeParts(parts, names, bar)) }()
	defer body.Close() // ends the goroutine when the answer comes early

	response, err := c.do(ctx, http.MethodPost, "/ingest/"+url.PathEscape(institution), nil, parts.FormDataContentType(), body)
	if err != nil {
		return upload.Answer{}, err
	}
	var answer upload.Answer
	return answer, decode(response, &answer)
}

func writeParts(parts *multipart.Writer, names []string, bar progress) error {
	for _, name := range names {
		part, err := parts.CreateFormFile("file", filepath.Base(name))
		if err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(part, bar.Reader(f))
		f.Close()
		if err != nil {
			return err
		}
	}
	return parts.Close()
}
