// Preloaded into a node: moves its wall clock by what stands in the file SHIFTED_CLOCK names (a 64-bit number of seconds),
// at once when that changes; the monotonic clock is left alone. Asks the kernel by itself, for it is called before malloc is
// ready (libfaketime is not up to an allocator that reads the clock).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t* shift_s;
static int (*real_wait)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*);

__attribute__((constructor)) static void prepare(void) {
  real_wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  const char* name = getenv("SHIFTED_CLOCK");
  const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* mapped = mmap(NULL, sizeof *shift_s, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) shift_s = mapped;
}

static int64_t shift(void) { return shift_s ? *shift_s : 0; }

int clock_gettime(clockid_t clock, struct timespec* into) {
  const int failed = (int)syscall(SYS_clock_gettime, clock, into);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) into->tv_sec += shift();
  return failed;
}

int gettimeofday(struct timeval* into, void* zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  into->tv_sec = now.tv_sec;
  into->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}

// The kernel waits by the true clock.
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const struct timespec* until) {
  struct timespec truly = *until;
  truly.tv_sec -= shift();
  return real_wait(condition, mutex, &truly);
}
