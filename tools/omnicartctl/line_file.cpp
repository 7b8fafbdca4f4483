#include "tools/omnicartctl/line_file.hpp"

#include <zlib.h>

#include <utility>

namespace omnicart::ctl {
namespace {

constexpr std::size_t line_bytes_max = 1'000'000;
constexpr std::size_t piece_bytes = 262'144;

}  // namespace

void line_file::closer::operator()(gzFile_s* file) const { ::gzclose(file); }

// zlib tells gzip and plain files apart.
outcome<line_file> line_file::open(const std::string& path) {
  line_file opened;
  opened.path_ = path;
  opened.file_.reset(::gzopen(path.c_str(), "rb"));
  if (!opened.file_) return fail_with(exit_code::io, path + ": cannot be opened");
  return opened;
}

outcome<std::optional<std::string>> line_file::next() {
  for (;;) {
    if (const auto end = rest_.find('\n', begin_); end != rest_.npos) {
      std::string line = rest_.substr(begin_, end - begin_);
      begin_ = end + 1;
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    rest_.erase(0, std::exchange(begin_, 0));
    if (rest_.size() > line_bytes_max)
      return fail_with(exit_code::usage, path_ + ": a line of over 1 MB");
    if (auto more = read(); !more) return tl::unexpected<failure>(more.error());
    if (!ended_) continue;
    if (rest_.empty()) return std::optional<std::string>();
    return std::exchange(rest_, {});
  }
}

outcome<bool> line_file::read() {
  std::string piece(piece_bytes, '\0');
  const int got = ::gzread(file_.get(), piece.data(), static_cast<unsigned>(piece.size()));
  int trouble = Z_OK;
  const char* why = ::gzerror(file_.get(), &trouble);
  if (got < 0 || (got == 0 && trouble == Z_BUF_ERROR))
    return fail_with(exit_code::io, path_ + ": " + why);
  ended_ = got == 0;
  rest_.append(piece, 0, static_cast<std::size_t>(got));
  return true;
}

}  // namespace omnicart::ctl
