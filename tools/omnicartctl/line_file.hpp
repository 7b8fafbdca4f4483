#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "tools/omnicartctl/exit_code.hpp"

struct gzFile_s;

namespace omnicart::ctl {

// The lines of a file, gzip or plain, read piece by piece. For one thread.
class line_file {
 public:
  // Failure: io.
  static outcome<line_file> open(const std::string& path);

  // The next line without its end (LF, or CR and LF); nothing behind the last. Failures: usage (a
  // line of over 1 MB), io (also a gzip file that breaks off).
  outcome<std::optional<std::string>> next();

 private:
  struct closer {
    void operator()(gzFile_s* file) const;
  };
  outcome<bool> read();

  std::string path_;
  std::unique_ptr<gzFile_s, closer> file_;
  std::string rest_;
  std::size_t begin_ = 0;
  bool ended_ = false;
};

}  // namespace omnicart::ctl
