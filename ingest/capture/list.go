package capture

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/worker"
	"sluice/worker/wire"
)

// listing is how long a worker may take to look at all devices; some cameras take a second each.
const listing = 15 * time.Second

// List lists the cameras, microphones and screens of this machine that either worker can capture, each once. With an
// error, the list holds what was found in spite of it; the error is that of both pools if neither has its program.
func List(ctx context.Context, capturePool, gstPool *worker.Pool) ([]wire.DeviceInfo, error) {
	return list(ctx, thisMachine(), capturePool, gstPool)
}

func list(ctx context.Context, m machine, capturePool, gstPool *worker.Pool) ([]wire.DeviceInfo, error) {
	gstErr, captureErr := gstPool.Err(), capturePool.Err()
	switch {
	case gstErr != nil && captureErr != nil:
		return nil, fmt.Errorf("no worker can capture a device: %w; or else %w", captureErr, gstErr)
	case captureErr != nil:
		return merge(nil, slices.Concat(m.cameras(), m.screens(), m.cards())), nil
	}
	all, err := ask(ctx, capturePool)
	all = slices.DeleteFunc(all, m.isFalse)
	if gstErr == nil {
		all = merge(all, slices.Concat(m.cameras(), m.screens()))
	}
	return all, err
}

// ask has gateway-capture look.
func ask(ctx context.Context, pool *worker.Pool) ([]wire.DeviceInfo, error) {
	p, err := pool.Start(ctx, worker.Spec{
		Job: wire.Job{Role: wire.RoleList}, Label: "devices", Start: listing, FirstOutput: listing,
	})
	if err != nil {
		return nil, fmt.Errorf("list the devices: %w", err)
	}
	defer p.Close()
	for {
		e, err := p.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the devices: %w", err)
		}
		if e.Kind != worker.EventResult {
			continue
		}
		var all []wire.DeviceInfo
		if err := json.Unmarshal(e.Result, &all); err != nil {
			return nil, fmt.Errorf("read the list of devices: %w", err)
		}
		return all, nil
	}
}

// merge adds what the system's files tell to what a worker has found: devices that it can't open, and formats that
// GStreamer takes and it does not, such as H264.
func merge(all []wire.DeviceInfo, more []local) []wire.DeviceInfo {
	for _, l := range more {
		i := slices.IndexFunc(all, func(d wire.DeviceInfo) bool {
			return d.Kind == l.Kind && (d.ID == l.ID || d.Label == l.Label && (d.ID == "" || l.ID == ""))
		})
		if i < 0 {
			all = append(all, l.DeviceInfo)
			continue
		}
		for _, f := range l.Formats {
			if !slices.ContainsFunc(all[i].Formats, func(o string) bool { return strings.HasSuffix(o, f) }) {
				all[i].Formats = append(all[i].Formats, f)
			}
		}
	}
	return all
}
