package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/source/upload"
)

// maxAnswer bounds what is read of a server's answer.
const maxAnswer = 1 << 30

// post hands one delivery to the server at address.
func post(ctx context.Context, address, institution string, names []string, bar progress) (upload.Answer, error) {
	body, form := io.Pipe()
	parts := multipart.NewWriter(form)
	go func() { form.CloseWithError(writeParts(parts, names, bar)) }()
	defer body.Close() // ends the goroutine when the server answers early

	target := url.URL{Scheme: "http", Host: address, Path: "/ingest/" + institution, RawQuery: "wait=1"}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), body)
	if err != nil {
		return upload.Answer{}, err
	}
	request.Header.Set("Content-Type", parts.FormDataContentType())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address in quotes
		}
		return upload.Answer{}, fmt.Errorf("hand in at %s: %w", address, err)
	}
	defer response.Body.Close()
	answered := io.LimitReader(response.Body, maxAnswer)
	if response.StatusCode/100 != 2 {
		return upload.Answer{}, refusal(response.Status, answered)
	}
	var answer upload.Answer
	if err := json.NewDecoder(answered).Decode(&answer); err != nil {
		return upload.Answer{}, fmt.Errorf("read the server's answer: %w", err)
	}
	return answer, nil
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

// refusal is a server's OperationOutcome as an error.
func refusal(status string, body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("the server answered %s", status)
	}
	n, err := fhir.Parse(text, fhir.Limits{})
	if err != nil || n.ResourceType() != "OperationOutcome" {
		return fmt.Errorf("the server answered %s", status)
	}
	var lines []string
	for _, i := range n.Get("issue").Items() {
		lines = append(lines, strings.TrimPrefix(i.Get("diagnostics").Text(), "error: "))
	}
	return fmt.Errorf("the server answered %s: %s", status, strings.Join(lines, "; "))
}
