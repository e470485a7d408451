package interaction

import (
	"context"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
)

// Answer is what a read within a transaction answers.
type Answer struct {
	Status             int
	Body               []byte // JSON of a resource; nil for none
	ETag, LastModified string
}

// Reply answers one entry of a transaction: a write, or a read.
type Reply struct {
	Method string
	Written
	Read *Answer
}

// Transaction carries out the entries of a transaction in the order of the
// specification – DELETE, POST, PUT and PATCH, GET and HEAD – all or none, and
// answers in theirs. read answers a GET or HEAD; with the context that it is given,
// the engine sees what the transaction wrote.
//
// Two entries that mean the same resource are an error. Errors are *Refused whose
// issues name the entry.
func (e *Engine) Transaction(ctx context.Context, v Viewer, entries []Entry, read func(context.Context, Entry) (Answer, error)) ([]Reply, error) {
	replies := make([]Reply, len(entries))
	var actions []*action
	var of, reads []int
	urls := map[string]string{}
	for i, x := range entries {
		replies[i].Method = x.Method
		if x.FullURL != "" {
			if other, taken := urls[x.FullURL]; taken {
				return nil, at(x.Place, duplicate("the entry has the fullUrl of "+other))
			}
			urls[x.FullURL] = x.Place
		}
		if x.Method == "GET" || x.Method == "HEAD" {
			reads = append(reads, i)
			continue
		}
		a, err := e.entryAction(x)
		if err != nil {
			return nil, at(x.Place, err)
		}
		a.place, a.fullURL = x.Place, x.FullURL
		actions, of = append(actions, a), append(of, i)
	}
	var within func(context.Context, []Written) error
	if len(reads) > 0 {
		within = func(ctx context.Context, _ []Written) error {
			for _, i := range reads {
				answer, err := read(ctx, entries[i])
				if err != nil {
					return at(entries[i].Place, err)
				}
				replies[i].Read = &answer
			}
			return nil
		}
	}
	if len(actions) == 0 {
		if within == nil {
			return replies, nil
		}
		return replies, within(ctx, nil)
	}
	written, err := e.act(ctx, v, actions, within)
	if err != nil {
		return nil, err
	}
	for i, w := range written {
		replies[of[i]].Written = w
	}
	return replies, nil
}

// entryAction reads what an entry wants to write.
func (e *Engine) entryAction(x Entry) (*action, error) {
	k, query, conditional := e.entryKey(x.URL)
	if !e.Definitions.IsResource(k.Type) {
		return nil, fault.New(fault.Unsupported, "the url does not begin with a resource type of FHIR R4").WithCode("not-found")
	}
	if strings.ContainsAny(k.ID, "/$_") || x.Method == "POST" && (k.ID != "" || conditional) || x.Method != "POST" && (k.ID == "") != conditional {
		return nil, fault.New(fault.Unsupported, "the url is not that of an interaction which a transaction can have")
	}
	var pairs []search.Pair
	if conditional {
		var err error
		if pairs, err = criteriaOf(query); err != nil {
			return nil, err
		}
	}
	match, err := Match(x.IfMatch)
	if err != nil {
		return nil, err
	}
	var a *action
	switch x.Method {
	case "POST":
		a, err = creation(k.Type, x.Resource)
		if err == nil && x.IfNoneExist != "" {
			_, query, found := strings.Cut(x.IfNoneExist, "?")
			if !found {
				query = x.IfNoneExist
			}
			pairs, err = criteriaOf(query)
		}
	case "PUT":
		if conditional {
			if err := writable(k.Type, x.Resource); err != nil {
				return nil, err
			}
			a = &action{verb: replaces, key: k}
			a.tree, a.data, err = split(k.Type, x.Resource)
		} else {
			a, err = replacement(k, x.Resource)
		}
	case "PATCH":
		var patch Patch
		patch, err = entryPatch(x.Resource)
		a = &action{verb: patches, key: k, patch: &patch}
	case "DELETE":
		a = &action{verb: deletes, key: k, many: conditional && e.DeletesMany}
	default:
		return nil, invalid("http-verb-unknown", "", "the method is none that a request can have")
	}
	if err != nil {
		return nil, err
	}
	a.pairs, a.match = pairs, match
	return a, nil
}

// criteriaOf reads criteria that must be there, though they may be empty.
func criteriaOf(query string) ([]search.Pair, error) {
	pairs, issues := search.Pairs(query)
	if fhir.HasErrors(issues) {
		return nil, &Refused{Fault: fault.New(fault.Invalid, "the criteria cannot be read"), Issues: issues}
	}
	return given(pairs), nil
}

// entryPatch reads the patch of an entry: a Parameters resource, or a Binary whose
// content is a patch.
func entryPatch(resource *fhir.Node) (Patch, error) {
	switch resource.ResourceType() {
	case "Parameters":
		return Patch{FHIRPath: resource}, nil
	case binaryType:
		text, ok := decodeBase64(resource.Get("data").Text())
		if !ok {
			return Patch{}, invalid("format-base64Binary", "Binary.data", "not base64")
		}
		return PatchOf(resource.Get("contentType").Text(), text, fhir.Limits{})
	}
	return Patch{}, invalid("patch-malformed", "", "a patch in a Bundle is a Parameters resource, or a Binary of "+JSONPatch+" or "+XMLPatch)
}

// Match reads If-Match: the versions that a client knows, AnyVersion for *, OtherVersion
// for a tag that no version has, none where nothing is said. As FHIR's tags are weak, weak
// ones count.
//
// https://www.rfc-editor.org/rfc/rfc9110#field.if-match
func Match(tags string) ([]int64, error) {
	if tags = strings.TrimSpace(tags); tags == "*" {
		return []int64{AnyVersion}, nil
	}
	var out []int64
	for tags != "" {
		tag := strings.TrimPrefix(tags, "W/")
		end := -1
		if strings.HasPrefix(tag, `"`) {
			end = strings.IndexByte(tag[1:], '"') + 2
		}
		rest := strings.TrimLeft(tag[max(end, 0):], " \t")
		if end < 2 || rest != "" && rest[0] != ',' {
			return nil, invalid("if-match-malformed", "", `If-Match is not a version, expected W/"1", several with commas between, or *`)
		}
		n, ok := VersionOf(tag[:end])
		if !ok {
			n = OtherVersion
		}
		out = append(out, n)
		tags = strings.TrimLeft(rest, ", \t")
	}
	return out, nil
}

// VersionOf reads an ETag as FHIR writes them.
func VersionOf(tag string) (int64, bool) {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, false
	}
	n, err := strconv.ParseInt(tag[1:len(tag)-1], 10, 64)
	return n, err == nil && n > 0
}
