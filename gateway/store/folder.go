package store

import (
	"context"
	"time"
)

// Folder is one version of an institution's folder, as it was pushed. Its bytes are
// in the archive, below Digest.
type Folder struct {
	Institution string
	Number      int64    // 1, 2, 3 … for each institution, without a gap
	Version     string   // of the institution as it was loaded from it then
	Digest      string   // hex SHA-256 of its bytes
	Size        int64    // of them
	Maps        []string // name@version of each map as it was loaded then
	Pushed      time.Time
	By          string // name of the client
	Note        string
}

// Activation says which version of an institution's folder is in effect since when.
// The last one of an institution holds; the others are its history.
type Activation struct {
	Change      int64 // grows over all institutions, in the order of commits
	Institution string
	Number      int64 // 0: none; the institution is what its folder outside of the store says, if it has one
	Since       time.Time
	By          string
	Why         string
}

// AnyFolder as the version that is expected to be in effect expects nothing.
const AnyFolder = -1

// MaxFolder bounds the bytes of one version of a folder.
const MaxFolder = 64 << 20

// Folders keeps the versions of the institutions' folders. What of them is in
// effect is the same for all processes of a gateway: one that polls FolderChange
// notices what another one switched.
type Folders interface {
	// PushFolder keeps bytes as the next version of f.Institution and puts it into
	// effect, both or neither. It returns f with Number, Digest, Size and Pushed, which
	// are the store's. Faults: Conflict when the version in effect is another than
	// expected, TooCostly for more than MaxFolder bytes.
	PushFolder(ctx context.Context, f Folder, content []byte, expected int64) (Folder, error)
	// ActivateFolder puts a.Number into effect, also when it is already, and returns a
	// with Change and Since. Faults: NotFound for a version that was never pushed,
	// Conflict as of PushFolder.
	ActivateFolder(ctx context.Context, a Activation, expected int64) (Activation, error)
	// Folder returns one version. Faults: NotFound.
	Folder(ctx context.Context, institution string, number int64) (Folder, error)
	// FolderContent returns the bytes of one version. Faults: NotFound.
	FolderContent(ctx context.Context, institution string, number int64) ([]byte, error)
	// ListFolders returns versions newest first, at most limit, with numbers below
	// before (0: from the newest).
	ListFolders(ctx context.Context, institution string, before int64, limit int) ([]Folder, error)
	// Activations returns an institution's activations newest first, at most limit, with
	// changes below before (0: from the newest).
	Activations(ctx context.Context, institution string, before int64, limit int) ([]Activation, error)
	// ActiveFolders returns the activation that holds of each institution that has
	// one, in the order of their ids.
	ActiveFolders(ctx context.Context) ([]Activation, error)
	// FolderChange returns the Change of the last activation of all, 0 before the first.
	FolderChange(ctx context.Context) (int64, error)
}

// Selective hands out records of some institutions and lets those of others wait.
type Selective interface {
	// ClaimExcept is Inbox.Claim without the records of the named institutions, which
	// stay in line as they are.
	ClaimExcept(ctx context.Context, holder string, lease time.Duration, limit int, except []string) ([]Record, error)
}
