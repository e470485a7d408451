package sqlite

import "sync"

// names is the cache of table name for everybody; it holds committed rows only.
type names struct {
	mu    sync.RWMutex
	ids   map[string]int64
	texts map[int64]string
}

// maxNames bounds the cache. Code systems and units come from clients.
const maxNames = 1 << 16

func (n *names) id(text string) (int64, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	id, ok := n.ids[text]
	return id, ok
}

func (n *names) text(id int64) (string, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	text, ok := n.texts[id]
	return text, ok
}

func (n *names) merge(fresh map[string]int64) {
	if len(fresh) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil || len(n.ids)+len(fresh) > maxNames {
		n.ids, n.texts = map[string]int64{}, map[int64]string{}
	}
	for text, id := range fresh {
		n.ids[text], n.texts[id] = id, text
	}
}

// view is what one connection sees of the database: its rows and the names in
// them. fresh are names that its own transaction made.
type view struct {
	s     *Store
	c     *conn
	fresh map[string]int64
}

// nameID returns the number of a text, or false when no row can hold it.
func (v view) nameID(text string) (int64, bool, error) {
	if text == "" {
		return 0, true, nil
	}
	if id, ok := v.fresh[text]; ok {
		return id, true, nil
	}
	if id, ok := v.s.names.id(text); ok {
		return id, true, nil
	}
	id, err := v.c.integer("SELECT id FROM name WHERE text = ?", text)
	if err != nil || id == 0 {
		return 0, false, err
	}
	v.s.names.merge(map[string]int64{text: id})
	return id, true, nil
}

// nameText returns the text of a number that a row holds.
func (v view) nameText(id int64) (text string, err error) {
	if id == 0 {
		return "", nil
	}
	if text, ok := v.s.names.text(id); ok {
		return text, nil
	}
	_, err = v.c.one("SELECT text FROM name WHERE id = ?", []any{id}, func(row row) { text = row.text(0) })
	if err == nil && v.fresh == nil {
		v.s.names.merge(map[string]int64{text: id})
	}
	return text, err
}

// intern returns the number of a text, giving it one where it has none.
func (t *tx) intern(text string) (int64, error) {
	id, ok, err := t.view().nameID(text)
	if ok || err != nil {
		return id, err
	}
	if _, err := t.c.exec("INSERT INTO name (text) VALUES (?)", text); err != nil {
		return 0, err
	}
	if id, err = t.c.integer("SELECT last_insert_rowid()"); err != nil {
		return 0, err
	}
	t.w.fresh[text] = id
	t.w.added = append(t.w.added, text)
	return id, nil
}
