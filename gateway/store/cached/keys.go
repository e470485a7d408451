package cached

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/yilian/yilian/gateway/store"
)

// secretCache names the secret of which keys are made, together with the store's
// lineage.
const secretCache = "cache"

// format stands before every sealed value and goes into every key: values of another
// format are not found.
const format = 1

// Keys makes names that tell nothing, and seals values.
type Keys struct {
	prefix string
	name   []byte
	seal   cipher.AEAD
}

// NewKeys derives keys from the secrets of a store.
func NewKeys(ctx context.Context, s store.Secrets) (*Keys, error) {
	lineage, err := s.Secret(ctx, store.SecretLineage)
	if err != nil {
		return nil, fmt.Errorf("lineage of the store: %w", err)
	}
	secret, err := s.Secret(ctx, secretCache)
	if err != nil {
		return nil, fmt.Errorf("secret of the cache: %w", err)
	}
	derive := func(what string) (key []byte) {
		if err == nil {
			key, err = hkdf.Key(sha256.New, secret, lineage, what, 32)
		}
		return key
	}
	public, name, seal := derive("prefix"), derive("names"), derive("values")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Keys{prefix: "yilian:" + hex.EncodeToString(public[:8]) + ":", name: name, seal: aead}, nil
}

// Prefix is the start of all names of this store where several share a Redis.
func (k *Keys) Prefix() string { return k.prefix }

// Name returns the name of what parts say. Different parts have different names.
func (k *Keys) Name(space string, parts ...string) string {
	h := hmac.New(sha256.New, k.name)
	var length [9]byte
	length[8] = format
	for _, part := range append([]string{space}, parts...) {
		binary.BigEndian.PutUint64(length[:8], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return space + ":" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

var errSealed = errors.New("not a value of this name")

// Seal encrypts a value for a name.
func (k *Keys) Seal(name string, value []byte) []byte {
	n := k.seal.NonceSize()
	out := make([]byte, 1+n, 1+n+len(value)+k.seal.Overhead())
	out[0] = format
	_, _ = rand.Read(out[1:]) // never fails
	return k.seal.Seal(out, out[1:], value, []byte(name))
}

// Unseal gives a value back, if it was sealed for the name.
func (k *Keys) Unseal(name string, sealed []byte) ([]byte, error) {
	n := k.seal.NonceSize()
	if len(sealed) < 1+n || sealed[0] != format {
		return nil, errSealed
	}
	value, err := k.seal.Open(nil, sealed[1:1+n], sealed[1+n:], []byte(name))
	if err != nil {
		return nil, errSealed
	}
	return value, nil
}
