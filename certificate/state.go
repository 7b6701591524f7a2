package certificate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// stateDir makes the folder of certificates below the gateway's state folder. Nobody else may look into it.
func stateDir(state string) (string, error) {
	if state == "" {
		return "", errors.New("keep the certificate: there is no state folder to keep it in")
	}
	dir := filepath.Join(state, "tls")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep the certificate: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep the certificate: %w", err)
	}
	return dir, nil
}

// writeFile replaces a file at once, so that a crash leaves the old or the new one.
func writeFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
