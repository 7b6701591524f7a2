package worker

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// GStreamer is the name of the program that has a registry of plugins.
const GStreamer = "gateway-gst"

// registryStart is how long the search for plugins may take.
const registryStart = 60 * time.Second

// rootCache is for a gateway that root starts: nobody else may look into /root/.cache. It is not the service's
// /var/cache/sluice, whose user could slip plugins in that root would load.
const rootCache = "/var/cache/sluice-root"

// registry is the list of GStreamer's plugins, which takes half a second to make. The first worker makes it, alone and
// not isolated; all others only read it.
type registry struct {
	o    Options       // fixed
	turn chan struct{} // capacity 1: full while somebody makes it

	mu        sync.Mutex
	tried     bool // since it was forgotten
	made      bool
	path      string
	temporary string // folder to remove
}

func newRegistry(o Options) *registry { return &registry{o: o, turn: make(chan struct{}, 1)} }

// ready returns when the registry has been made, or is known not to be: the error is that of ctx or the pool's end.
func (r *registry) ready(ctx context.Context, p *Pool) error {
	if r.o.Name != GStreamer || r.wasTried() {
		return nil
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if r.wasTried() {
		return nil
	}
	r.place()
	err := r.make(ctx, p)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		r.o.Log.Warn("The list of GStreamer's plugins can't be kept; workers start slowly", "worker", r.o.Name, "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried, r.made = true, err == nil
	return nil
}

// make runs a worker that does nothing but search.
func (r *registry) make(ctx context.Context, p *Pool) error {
	process, err := p.spawnIdle(ctx, Spec{Label: r.o.Name + " registry", Start: registryStart, Heartbeat: registryStart})
	if err != nil {
		return err
	}
	process.Close()
	if err = os.Chmod(r.file(), 0o644); os.IsNotExist(err) {
		return nil // a library that keeps none
	}
	return err
}

// place chooses the folder, once.
func (r *registry) place() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path != "" {
		return
	}
	dir := firstUsable(r.folders())
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "sluice-"); err != nil {
			r.o.Log.Warn("There is no folder for the list of GStreamer's plugins", "worker", r.o.Name, "err", err)
			return
		}
		r.temporary = dir
		_ = os.Chmod(dir, 0o755)
	}
	r.path = filepath.Join(dir, "registry-"+runtime.GOARCH+".bin")
}

// folders are those that outlast us, the best first.
func (r *registry) folders() []string {
	if r.o.CacheDir != "" {
		return []string{r.o.CacheDir}
	}
	var list []string
	if cache, err := os.UserCacheDir(); err == nil {
		list = append(list, filepath.Join(cache, "sluice"))
	}
	if os.Geteuid() == 0 {
		list = append(list, rootCache)
	}
	return list
}

// firstUsable is "" if there is none.
func firstUsable(dirs []string) string {
	for _, dir := range dirs {
		if usable(dir) {
			return dir
		}
	}
	return ""
}

// usable tells that dir can be written to, and read by a worker that is isolated.
func usable(dir string) bool {
	_, err := os.Stat(dir)
	if os.MkdirAll(dir, 0o755) != nil {
		return false
	}
	if os.IsNotExist(err) {
		_ = os.Chmod(dir, 0o755) // whatever the umask is; the answer is below
	}
	f, err := os.CreateTemp(dir, ".write-*")
	if err != nil {
		return false
	}
	f.Close()
	os.Remove(f.Name())
	return readableByWorkers(dir)
}

// environ is what workers are told of the registry.
func (r *registry) environ() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path == "" {
		return nil
	}
	env := []string{"GST_REGISTRY=" + r.path}
	if r.made {
		env = append(env, "GST_REGISTRY_UPDATE=no")
	}
	return env
}

// forget lets the next worker search for plugins again.
func (r *registry) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried, r.made = false, false
}

func (r *registry) wasTried() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tried
}

func (r *registry) file() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.path
}

func (r *registry) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.temporary != "" {
		os.RemoveAll(r.temporary)
	}
}
