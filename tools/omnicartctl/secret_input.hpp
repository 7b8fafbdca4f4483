#pragma once

#include <string>

#include "tools/omnicartctl/exit_code.hpp"

// Secrets come from files, standard input or the terminal, never from arguments: those are
// everyone's to read. All of these block; for one thread.
namespace omnicart::ctl {

inline constexpr std::size_t secret_bytes_max = 4'096;

// The first line of a file, without its line end. Failure: io, naming the file; also when the line
// is longer than secret_bytes_max.
outcome<std::string> first_line_of(const std::string& path);

// The operator's token: of `token_file`, or, when that is empty, of `fallback_file` if it exists
// (else an empty token). Blanks around it are cut. Failure: io.
outcome<std::string> read_token(const std::string& token_file, const std::string& fallback_file);

// On a terminal: asks twice on standard error, without echo. Otherwise the first line of standard
// input. Failure: usage (none given, or the two differ), io.
outcome<std::string> ask_password();

}  // namespace omnicart::ctl
