//go:build gstreamer

#include <stddef.h>
#ifdef __linux__
#include <sys/prctl.h>

// Runs before Go starts threads, since each thread has the flag for itself and gives it to those that it starts:
// neither the worker nor what a plugin runs gains rights by a file's mode.
__attribute__((constructor)) static void give_up_new_rights(void) { prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L); }
#endif
