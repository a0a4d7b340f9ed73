package publish

import "sync"

// saver writes the state beside the loop, because a router's flash may take a
// second to sync. Only the newest state is written.
type saver struct {
	store *Store
	log   Logger
	next  chan []Saved
	done  sync.WaitGroup
	sick  bool // the last write failed and the log says so
}

func (s *saver) start() {
	s.next = make(chan []Saved, 1)
	s.done.Go(func() {
		for records := range s.next {
			s.write(records)
		}
	})
}

func (s *saver) write(records []Saved) {
	if s.store == nil {
		return
	}
	err := s.store.Save(records)
	if err != nil && !s.sick {
		s.log.Warnf("%v; after a restart unchanged addresses will be sent again", err)
	}
	s.sick = err != nil
}

func (s *saver) save(records []Saved) {
	select {
	case <-s.next: // replaced before it was written
	default:
	}
	s.next <- records
}

// stop writes what is left and returns.
func (s *saver) stop() {
	close(s.next)
	s.done.Wait()
}
