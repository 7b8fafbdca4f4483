#pragma once

// Named places where a test may end the process as kill -9 would: OMNICART_CRASH_AT=name or name:N (the N-th
// pass). Compiled in with the CMake option OMNICART_CRASH_POINTS only; otherwise it costs nothing.
//
// The names are listed in crash_point.cpp; an unknown name in the environment is a bug in the test and ends the
// process at start. The process says "crash point NAME" on stderr before it goes.
#ifdef OMNICART_CRASH_POINTS
namespace omnicart {
void crash_point(const char* name);
}
#define OMNICART_CRASH_POINT(name) ::omnicart::crash_point(name)
#else
#define OMNICART_CRASH_POINT(name) static_cast<void>(0)
#endif
